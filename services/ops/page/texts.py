"""The texts of the page, in Vietnamese and English. Kafka's terms without a Vietnamese word stay English."""

from collections.abc import Mapping
from typing import Literal

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")

_TEXTS: Mapping[str, tuple[str, str]] = {
    "title": ("Dòng sự kiện", "Event flow"),
    "other_language": ("English", "Tiếng Việt"),
    "sign_in": ("Đăng nhập", "Sign in"),
    "sign_out": ("Đăng xuất", "Sign out"),
    "key": ("Khóa API", "API key"),
    "key_hint": (
        "Khóa của vai trò ops, leader hoặc auditor. Khóa không được lưu trong địa chỉ trang hay trên máy này.",
        "A key of the role ops, leader or auditor. It is stored neither in the address nor on this device.",
    ),
    "key_refused": ("Khóa này không có quyền xem trang.", "This key has no access to the page."),
    "read_at": ("Đọc lúc", "Read at"),
    "connected": ("đang cập nhật", "live"),
    "disconnected": ("mất kết nối, đang thử lại", "connection lost, retrying"),
    "stale": ("Không đọc được số liệu mới", "Not up to date"),
    "kafka_error": ("Kafka không trả lời", "Kafka does not answer"),
    "chain": ("Chuỗi xử lý", "Services and topics"),
    "acts": ("thao tác", "acts"),
    "applicant": ("người nộp hồ sơ", "applicant"),
    "intake": ("Tiếp nhận", "Intake"),
    "routing": ("Phân công", "Routing"),
    "sla": ("Thời hạn", "Deadlines"),
    "notify": ("Thông báo", "Alerts"),
    "ops": ("Giám sát", "Live views"),
    "per_second": ("/giây", "/s"),
    "lag_short": ("chờ", "lag"),
    "groups": ("Nhóm đọc", "Consumer groups"),
    "group": ("Nhóm", "Group"),
    "topic": ("Topic", "Topic"),
    "behind": ("Đang chờ", "Lag"),
    "oldest": ("Lâu nhất", "Oldest"),
    "applied": ("Xử lý/giây", "Throughput/s"),
    "arriving": ("Đến/giây", "Arriving/s"),
    "catch_up": ("Bắt kịp sau", "Catch-up time"),
    "progress": ("Tiến triển", "Last progress"),
    "state": ("Tình trạng", "State"),
    "not_catching_up": ("không đuổi kịp", "not catching up"),
    "ago": ("trước", "ago"),
    "stuck": ("tắc", "stuck"),
    "falling behind": ("tụt lại", "falling behind"),
    "catching up": ("đang đuổi kịp", "catching up"),
    "flowing": ("thông suốt", "flowing"),
    "idle": ("rảnh", "idle"),
    "services": ("Tồn đọng trong dịch vụ", "Backlog of the services"),
    "service": ("Dịch vụ", "Service"),
    "outbox": ("Chưa lên Kafka", "Not yet on Kafka"),
    "quarantined": ("Bản ghi cách ly", "Quarantined records"),
    "nothing_quarantined": ("không", "none"),
    "parked": ("không áp dụng được", "parked"),
    "gap": ("thiếu bản ghi trước", "gap"),
    "fork": ("mâu thuẫn", "fork"),
    "blocked": ("bị bản ghi trước chặn", "blocked"),
    "unreadable": ("không đọc được", "unreadable"),
    "arrivals": ("Hồ sơ nộp trong một giờ", "Dossiers submitted in one hour"),
    "department": ("Cơ quan", "Department"),
    "no_department": ("chưa rõ", "not known yet"),
    "stages": ("Thời gian ở từng bước, một ngày", "Stage durations, one day"),
    "stage": ("Bước", "Stage"),
    "count": ("Số lượt", "Count"),
    "mean": ("Trung bình", "Mean"),
    "p50": ("50 % trong", "50 % within"),
    "p90": ("90 % trong", "90 % within"),
    "pauses": ("Chờ người nộp", "Waiting for the applicant"),
    "messages": ("Tin nhắn, một ngày", "Messages, one day"),
    "outcome": ("Kết quả", "Outcome"),
    "until": ("đến", "until"),
    "nothing": ("Chưa có gì.", "Nothing yet."),
    "catching_up_views": (
        "Số liệu hồ sơ, từng bước và tin nhắn còn đang được đếm",
        "Dossiers, stages and messages are still being counted",
    ),
    "records": ("bản ghi", "records"),
    "not_counted_yet": ("Còn đang đếm.", "Still being counted."),
    "no_events": ("Không có trong khoảng này.", "None in this period."),
    "unreadable_records": (
        "Bản ghi không đọc được, không tính ở trên, từ đầu đến nay",
        "Unreadable records, not included above, since the first record",
    ),
    "unreadable_hint": (
        "Bản ghi nào còn chờ quyết định thì có ở mục “Tồn đọng trong dịch vụ”.",
        "Records that still need a decision are listed under “Backlog of the services”.",
    ),
    "elapsed": (
        "Thời gian trôi qua, không phải giờ làm việc; không tính lúc chờ người nộp. "
        "Mức 50 % và 90 % có thể dài hơn thực tế nhiều nhất một phần năm.",
        "Elapsed time, not working time, without pauses for the applicant. "
        "50 % and 90 % may be up to a fifth too long.",
    ),
    "submitted": ("đã nộp", "submitted"),
    "received": ("đã tiếp nhận", "received"),
    "processing": ("đang xử lý", "processing"),
    "supplement_required": ("chờ bổ sung", "supplement required"),
    "payment_required": ("chờ nghĩa vụ tài chính", "payment required"),
    "settled": ("đã giải quyết", "settled"),
    "returned": ("đã trả", "returned"),
    "refused": ("từ chối", "refused"),
    "withdrawn": ("đã rút", "withdrawn"),
    "stopped": ("dừng", "stopped"),
    "unknown": ("không rõ", "unknown"),
    "planned": ("dự định", "planned"),
    "sent": ("đã gửi", "sent"),
    "delivered": ("đã đến", "delivered"),
    "failed": ("không gửi được", "failed"),
    "dropped": ("không gửi", "dropped"),
    "sms": ("SMS", "SMS"),
    "email": ("e-mail", "e-mail"),
    "none": ("không có liên hệ", "no contact"),
    "seconds": ("giây", "s"),
    "minutes": ("phút", "min"),
    "hours": ("giờ", "h"),
    "days": ("ngày", "days"),
}


class Texts:
    """Returns the texts of the page in one language, and formats numbers and durations for it."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._index = LANGUAGES.index(language)

    def __call__(self, key: str) -> str:
        """Return the text of a key; the key itself if it has no text, such as a state of a later release."""
        return _TEXTS[key][self._index] if key in _TEXTS else key

    def duration(self, seconds: float | None) -> str:
        """Return a duration in the largest unit (seconds to days) in which it is 2 or more; a dash for None."""
        if seconds is None:
            return "–"
        for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
            if seconds >= 2 * length:
                return f"{self.number(seconds / length)} {self(unit)}"
        return f"{self.number(seconds)} {self('seconds')}"

    def number(self, value: float) -> str:
        """Return a number with separators for thousands, rounded to an integer; below ten, to one decimal if not zero.

        English writes 1,234 and 5.6, Vietnamese 1.234 and 5,6.
        """
        tenths = round(value, 1)
        text = f"{value:,.0f}" if tenths >= 10 or tenths % 1 == 0 else f"{tenths:.1f}"
        return text.translate(str.maketrans(",.", ".,")) if self.language == "vi" else text

"""The page's words, Vietnamese first; what the field has no Vietnamese word for keeps Kafka's."""

from collections.abc import Mapping
from typing import Literal

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")

_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Dòng sự kiện", "The chain as it flows"),
    "other_language": ("English", "Tiếng Việt"),
    "sign_in": ("Đăng nhập", "Sign in"),
    "sign_out": ("Đăng xuất", "Sign out"),
    "key": ("Khóa API", "API key"),
    "key_hint": (
        "Khóa của vai trò ops, leader hoặc auditor. Khóa không được ghi vào địa chỉ hay máy này.",
        "A key of the role ops, leader or auditor. It is written neither into an address nor on this machine.",
    ),
    "key_refused": ("Khóa này không mở được trang.", "This key does not open the page."),
    "read_at": ("Đọc lúc", "Read at"),
    "connected": ("đang cập nhật", "live"),
    "disconnected": ("mất kết nối, đang thử lại", "connection lost, trying again"),
    "stale": ("Không đọc được", "Not read"),
    "kafka_silent": ("Kafka không trả lời", "Kafka does not answer"),
    "chain": ("Chuỗi xử lý", "The chain"),
    "acts": ("thao tác", "acts"),
    "applicant": ("người nộp hồ sơ", "applicant"),
    "intake": ("Tiếp nhận", "Intake"),
    "routing": ("Phân công", "Routing"),
    "sla": ("Thời hạn", "Deadlines"),
    "notify": ("Thông báo", "Alerts"),
    "ops": ("Giám sát", "Ops"),
    "per_second": ("/giây", "/s"),
    "behind_short": ("chờ", "wait"),
    "groups": ("Từng nhóm đọc", "Each group"),
    "group": ("Nhóm", "Group"),
    "topic": ("Topic", "Topic"),
    "behind": ("Đang chờ", "Behind"),
    "oldest": ("Lâu nhất", "Oldest"),
    "applied": ("Xử lý/giây", "Applied/s"),
    "arriving": ("Đến/giây", "In/s"),
    "catch_up": ("Hết chờ sau", "Caught up in"),
    "progress": ("Tiến triển", "Progress"),
    "state": ("Tình trạng", "State"),
    "not_catching_up": ("không đuổi kịp", "not catching up"),
    "ago": ("trước", "ago"),
    "stuck": ("tắc", "stuck"),
    "falling behind": ("tụt lại", "falling behind"),
    "catching up": ("đang đuổi kịp", "catching up"),
    "flowing": ("thông suốt", "flowing"),
    "idle": ("rảnh", "idle"),
    "services": ("Còn giữ trong dịch vụ", "Quarantined in the services"),
    "service": ("Dịch vụ", "Service"),
    "outbox": ("Chưa lên Kafka", "Not yet on Kafka"),
    "quarantined": ("Bản ghi bị giữ", "Quarantined records"),
    "nothing_quarantined": ("không", "none"),
    "parked": ("không áp dụng được", "parked"),
    "gap": ("thiếu bản ghi trước", "gap"),
    "fork": ("mâu thuẫn", "fork"),
    "quarantined_behind": ("chờ sau", "behind one"),
    "unreadable": ("không đọc được", "unreadable"),
    "arrivals": ("Hồ sơ nộp trong một giờ", "Dossiers submitted within an hour"),
    "department": ("Cơ quan", "Department"),
    "no_department": ("chưa rõ", "not named"),
    "stages": ("Thời gian ở từng bước, một ngày", "Time at each stage, within a day"),
    "stage": ("Bước", "Stage"),
    "count": ("Số lượt", "Count"),
    "mean": ("Trung bình", "Mean"),
    "half": ("50 % trong", "50 % within"),
    "most": ("90 % trong", "90 % within"),
    "pauses": ("Chờ người nộp", "Waiting for the applicant"),
    "messages": ("Tin nhắn, một ngày", "Messages, within a day"),
    "outcome": ("Kết quả", "Outcome"),
    "until": ("đến", "until"),
    "nothing": ("Chưa có gì.", "Nothing yet."),
    "still_counting": (
        "Hồ sơ, từng bước và tin nhắn: còn đang đếm",
        "Dossiers, stages and messages are still being counted",
    ),
    "records": ("bản ghi", "records"),
    "not_counted_yet": ("Còn đang đếm.", "Still being counted."),
    "none_within": ("Không có trong khoảng này.", "None within this time."),
    "passed_over": (
        "Bản ghi không đọc được, không tính ở trên, kể từ đầu",
        "Unreadable records, not in the counts above, since the beginning",
    ),
    "quarantined_elsewhere": (
        "Bản ghi nào còn chờ quyết định thì có ở mục “Còn giữ trong dịch vụ”.",
        "Those that still wait for a decision stand under “Quarantined in the services”.",
    ),
    "elapsed": (
        "Thời gian trôi qua, không phải giờ làm việc; không tính lúc chờ người nộp. "
        "Mức 50 % và 90 % có thể dài hơn thực tế nhiều nhất một phần năm.",
        "Elapsed, not working time; waiting for the applicant is not part of it. "
        "50 % and 90 % may be told up to a fifth too long.",
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


class Words:
    """The words of one language; a word that nobody has translated (lists are open) stands for itself."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._place = LANGUAGES.index(language)

    def __call__(self, word: str) -> str:
        """In this language."""
        return _WORDS[word][self._place] if word in _WORDS else word

    def duration(self, seconds: float | None) -> str:
        """In one unit that people would choose; a dash for none."""
        if seconds is None:
            return "–"
        for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
            if seconds >= 2 * length:
                return f"{self.number(seconds / length)} {self(unit)}"
        return f"{self.number(seconds)} {self('seconds')}"

    def number(self, value: float) -> str:
        """Grouped by thousands; one decimal below ten, where there is one. Vietnamese writes 1.234,5."""
        tenths = round(value, 1)
        text = f"{value:,.0f}" if tenths >= 10 or tenths % 1 == 0 else f"{tenths:.1f}"
        return text.translate(str.maketrans(",.", ".,")) if self.language == "vi" else text

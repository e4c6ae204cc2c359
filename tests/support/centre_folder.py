"""The folder of a small, valid centre, for tests that change one of its files."""

# ruff: noqa: E501 -- the lines of the tables must not be broken

from pathlib import Path

SMALL_CENTRE = {
    "centre.toml": """\
code = "small"
name_vi = "Trung tâm thử"
name_en = "Small centre"
zone = "Asia/Ho_Chi_Minh"
agency_prefix = "H10"
opened_on = 2017-04-28
address_vi = "Số 1"
hotline = "0271 000 0000"
email = "small@example.invalid"
sms_brand = "SMALL"
invented = ["hotline"]

[[thresholds]]
valid_from = 2017-04-28
decision = "03/QĐ"
max_backdate_working_days = 1
near_working_hours = 8
short_term_working_hours = 16
escalation_working_hours = [8, 24]
pause_ceiling_working_days = 30
max_extensions = 1
invented = []
""",
    "departments.csv": """\
code,name_vi,name_en,short_vi,kind,agency_id,valid_from,valid_to,decision,source,status,invented,note
STP,Sở Tư pháp,Justice,Tu phap,so,H10.01,2017-04-28,,01/QĐ,,plausible,agency_id,
STC,Sở Tài chính,Finance,Tai chinh,so,H10.02,2017-04-28,,01/QĐ,,plausible,,
CA,Công an tỉnh,Provincial Police,Cong an,nganh-doc,H10.03,2017-04-28,,01/QĐ,,plausible,,
""",
    "counters.csv": """\
number,kind,department,valid_from,valid_to,decision,invented,note
1,department,STP,2017-04-28,,01/QĐ,number,
2,department,STP,2017-04-28,,01/QĐ,,
3,department,STC,2017-04-28,,01/QĐ,,
4,department,CA,2017-04-28,,01/QĐ,,
5,general,,2017-04-28,,01/QĐ,,
6,results,,2018-01-01,,01/QĐ,,
""",
    "procedures.csv": """\
code,name_vi,name_en,field_vi,departments,term_value,term_unit,counting,cut_off,fee_vnd,legal_basis,valid_from,valid_to,decision,source,status,invented,note
2.000908,Cấp bản sao,Copy from a register,Chứng thực,STP,1,working_day,by_hours,15:00,0,23/2015/NĐ-CP; 66/2025/NQ-CP,2017-04-28,,02/QĐ,,verified,,
1.000001,Thủ tục tài chính,Finance thing,,STC,10,calendar_day,,,,,2017-04-28,,02/QĐ,,unverified,,
L.7,Thủ tục chung,Shared thing,,STP; CA,,none,,,,,2017-04-28,,02/QĐ,,unverified,code,no term in the law
""",
    "requirements.csv": """\
procedure,key,name_vi,form,copies,mandatory,valid_from,valid_to,decision,invented,note
2.000908,form,Tờ khai,original,1,yes,2017-04-28,,02/QĐ,,
""",
    "receiving.csv": """\
department,valid_from,valid_to,decision,invented,note
STC,2017-12-04,,15/QĐ,,
""",
    "calendars.csv": """\
name,zone,weekdays,windows,valid_from,valid_to,decision,invented,note
week,Asia/Ho_Chi_Minh,1; 2; 3; 4; 5,07:00-11:30; 13:30-17:00,2017-01-01,2026-12-31,03/QĐ,,
""",
    "calendars/week.csv": """\
date,kind,windows,name_vi,name_en,decided_by,known_from,applies_to,source,status,note
2018-01-01,off,,Tết Dương lịch,New Year's Day,"Labour Code 2012, art. 115",,all,,statutory,
""",
}


RULE = """
[[general_counter]]
valid_from = 2017-04-28
decision = "04/QĐ"
channels = ["counter", "post"]
full_week_days = 5
least_working_days = 2
pool_below = 10
pool_weeks = 4
release_from = 12
release_weeks = 2
min_stay_weeks = 8
invented = ["decision"]
"""
STAFFING = """\
counter,windows,officers,valid_from,valid_to,decision,invented,note
5,07:30-11:00; 14:00-16:30,2,2017-04-28,,06/QĐ,,
"""
SERVICE_TIMES = """\
procedure,median_minutes,p90_minutes,valid_from,valid_to,decision,invented,note
,12,30,2017-04-28,,05/QĐ,,
L.7,20,40,2017-04-28,,05/QĐ,,
"""


def write_centre(folder: Path, **changed: str | bytes | None) -> Path:
    """Write the small centre; a keyword such as `departments_csv` replaces that file, None omits it."""
    content: dict[str, str | bytes | None] = {**SMALL_CENTRE}
    for key, value in changed.items():
        stem, _, ending = key.rpartition("_")
        content[f"{stem}.{ending}"] = value
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in content.items():
        if value is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(value if isinstance(value, bytes) else value.encode())
    return folder


def edited(name: str, old: str, new: str) -> str:
    """A file of the small centre with one passage replaced. The passage must be in the file."""
    assert old in SMALL_CENTRE[name], f"{old!r} is not in {name}"
    return SMALL_CENTRE[name].replace(old, new, 1)


def ruled_centre(folder: Path, **changed: str) -> Path:
    """Write the small centre with the rule of the general counter. At its opening no department is pooled."""
    files = {
        "receiving_csv": SMALL_CENTRE["receiving.csv"].splitlines()[0] + "\n",
        "staffing_csv": STAFFING,
        "service_times_csv": SERVICE_TIMES,
    }
    return write_centre(folder, centre_toml=SMALL_CENTRE["centre.toml"] + RULE, **(files | changed))

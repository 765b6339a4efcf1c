"""The typed client of a park; light, and at home on Linux, macOS and Windows.

from eureka_park.client import Park

park = Park()
job = park.submit("train.py", cpus=2, tier="green", by="2h")
print(job.wait()["state"], job.receipt()["kwh"])
"""

from eureka_park.client.park import Job, Park
from eureka_park.client.views import (
    ENDED,
    STATES,
    Cancelled,
    JobView,
    OutputFile,
    PlanView,
    PowerNow,
    Reason,
    Receipt,
    ReceiptHour,
    ReceiptSummary,
    Sent,
    State,
    StatusView,
    Upload,
    Why,
)

__all__ = [
    "ENDED",
    "STATES",
    "Cancelled",
    "Job",
    "JobView",
    "OutputFile",
    "Park",
    "PlanView",
    "PowerNow",
    "Receipt",
    "ReceiptHour",
    "ReceiptSummary",
    "Reason",
    "Sent",
    "State",
    "StatusView",
    "Upload",
    "Why",
]

"""python -m customer.jobs: keeps time and does long work."""

from customer.jobs import export_customers, read_heads, scan_duplicates
from customer.jobs.import_customers import destroy_reports, destroy_uploads, import_customers
from customer.jobs.keep_groups import keep_groups, review_groups
from customer.jobs.purge_customers import purge_customers
from customer.jobs.review_classes import review_classes
from customer.usecases.ports import (
    EXPORT_EXPIRES,
    IMPORT,
    KEEP_GROUPS,
    PURGE,
    REPORT_EXPIRES,
    REVIEW,
    REVIEW_GROUPS,
    UPLOAD_EXPIRES,
)
from customer.wiring import build
from kernel.jobs.job import Job
from kernel.jobs.worker import main
from kernel.rpc.rights import RightsOfNow

if __name__ == "__main__":
    app = build()
    timers = {
        REVIEW: review_classes,
        PURGE: purge_customers,
        UPLOAD_EXPIRES: destroy_uploads,
        REPORT_EXPIRES: destroy_reports,
        EXPORT_EXPIRES: export_customers.destroy_exports,
        KEEP_GROUPS: keep_groups,
        REVIEW_GROUPS: review_groups,
    }
    # Each minute besides, for imports whose job was lost or gave up.
    jobs = [
        Job(IMPORT, import_customers, every="* * * * *"),
        read_heads.JOB,
        export_customers.JOB,
        scan_duplicates.JOB,
    ]
    main(
        app,
        jobs=jobs,
        timers=timers,
        destroy_day_keys=app.keyring.destroy_days_before,
        present=RightsOfNow(app.settings),
    )

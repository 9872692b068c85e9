"""python -m ticketing.mail: takes mail in by SMTP."""

from kernel.ops import health, logs
from ticketing.mail.server import serve
from ticketing.wiring import build

if __name__ == "__main__":
    app = build()
    logs.configure(app.service, "mail", app.settings.log_level)
    health.serve(app.settings.ops_address, {"store": app.check_store})
    serve(app)
    app.close()

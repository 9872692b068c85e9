"""python -m privacy.store upgrade | check"""

from kernel.sql.migrate import main

main("privacy")

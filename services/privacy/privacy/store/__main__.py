"""python -m privacy.store upgrade | check | rewrap"""

from kernel.sql.migrate import main

main("privacy")

"""Who is read through whom."""

from __future__ import annotations

# The customer that the one in place of {} is read through: the one it was merged into, or itself.
READ_THROUGH = "coalesce((select survivor_id from links where customer_id = {0}), {0})"
# The ids of all who are one with the customer in place of {}, as an array.
ONE_WITH = f"""
    array(select {READ_THROUGH} union all
          select k.customer_id from links k where k.survivor_id = {READ_THROUGH})
"""

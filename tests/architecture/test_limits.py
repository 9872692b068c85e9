"""The page of limits says what the code does."""

from docs.generate_limits import PAGE, page
from tests.architecture.house import text


def test_the_page_of_limits_is_fresh() -> None:
    """An integrator plans by it."""
    assert text(PAGE) == page(), "run python docs/generate_limits.py"

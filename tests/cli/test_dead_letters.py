"""`crm dlq` on the private broker of the test servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import amqp
import pytest

from crm_cli import dead_letters
from crm_cli.local.stack import StackInfo
from kernel.bus import topology
from kernel.bus.broker import connect
from kernel.bus.gauges import count_messages
from kernel.bus.topology import Subscription
from tests.support.servers import eventually
from tests.support.stack import shared_servers

TEAMS = Subscription("customer", "crm.gateway.v1.TeamsRecorded", "customer.follow_teams")
USERS = Subscription("customer", "crm.gateway.v1.UsersRecorded", "customer.follow_users")


@pytest.fixture
def info() -> Iterator[StackInfo]:
    """The test servers with two work queues and three dead letters, "1" and "2" of teams and "3" of users."""
    info = replace(shared_servers(), queues=[TEAMS.queue, USERS.queue])
    url = info.server("rabbitmq").url
    topology.declare(url, "customer", [TEAMS, USERS])
    with connect(url) as connection:
        channel = connection.channel()
        for number, subscription in (("1", TEAMS), ("2", TEAMS), ("3", USERS)):
            letter = amqp.Message("{}", message_id=number, type=subscription.event_type, delivery_mode=2)
            channel.basic_publish(letter, "", subscription.dead_queue)
        eventually(lambda: sorted(ids(info)) == ["1", "2", "3"])
        yield info
        for plan in topology.queues([TEAMS, USERS]):
            channel.queue_delete(plan.name)


def ids(info: StackInfo, queue: str | None = None) -> list[str]:
    return [letter.message_id for letter in dead_letters.list_dead(info, queue, 10)]


def test_looking_at_dead_letters_leaves_them_there(info: StackInfo) -> None:
    assert sorted(ids(info, TEAMS.queue)) == ["1", "2"]
    assert ids(info, USERS.dead_queue) == ["3"]
    eventually(lambda: sorted(ids(info)) == ["1", "2", "3"])


def test_a_replayed_letter_is_back_in_its_work_queue(info: StackInfo) -> None:
    assert dead_letters.replay(info, None, ["2"]) == 1
    eventually(lambda: sorted(ids(info)) == ["1", "3"])
    url = info.server("rabbitmq").url
    eventually(lambda: count_messages(url, [TEAMS.queue, USERS.queue]) == {TEAMS.queue: 1, USERS.queue: 0})


def test_discarding_one_queue_keeps_the_others(info: StackInfo) -> None:
    assert dead_letters.discard(info, TEAMS.queue, [], "a test") == 2
    eventually(lambda: ids(info) == ["3"])

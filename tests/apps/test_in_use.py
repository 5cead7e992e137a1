"""A restore never pulls the data away from under a server or a worker."""

import multiprocessing

import pytest

from kequn.cli.in_use import claimed, hold
from kequn.domain.errors import Refused


def _server(home, ready, done) -> None:
    hold(home)
    ready.set()
    done.wait(20)


def test_a_home_in_use_cannot_be_claimed_and_is_free_when_the_server_ends(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    server = context.Process(target=_server, args=(tmp_path, ready, done))
    server.start()
    assert ready.wait(20)
    with pytest.raises(Refused, match="stop kequn serve"), claimed(tmp_path):
        pass
    done.set()
    server.join(20)
    with claimed(tmp_path):
        pass


def test_a_server_does_not_start_while_a_backup_is_put_back(tmp_path):
    with claimed(tmp_path), pytest.raises(Refused, match="being restored"):
        hold(tmp_path)

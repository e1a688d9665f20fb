"""A peer that breaks is neither a difference nor silence."""

import duckdb
import pytest

from differential.peer import Broken, Peer


class Breaking:
    """A connection that fails as DuckDB does."""

    def __init__(self, error):
        self.error = error

    def execute(self, _):
        raise self.error


def load(connection):
    connection.execute("create table data as select 1 as x")


@pytest.mark.parametrize("kind", [duckdb.InternalException, duckdb.FatalException])
def test_a_bug_of_the_peer_is_not_a_difference_and_it_goes_on(kind):
    peer = Peer(load)
    peer.connection = Breaking(kind("INTERNAL Error: Attempted to dereference what is not there\nmore"))
    with pytest.raises(Broken, match="dereference"):
        peer.rows("select x from data")
    assert peer.rows("select x from data") == [(1,)]


def test_what_the_peer_refuses_is_still_told():
    with pytest.raises(duckdb.Error, match="nowhere"):
        Peer(load).rows("select x from nowhere")


def test_tells_what_it_gives_without_its_optimizer():
    peer = Peer(load)
    assert peer.rows_unoptimized("select x + 1 from data") == [(2,)]
    assert peer.rows("select current_setting('disabled_optimizers')") == [("",)]


def test_few_bugs_are_tolerated_and_many_are_not():
    peer = Peer(load)
    assert peer.verdict(0) is None and peer.verdict(100) is None
    peer.not_compared("plan 7", "INTERNAL Error: one\nstack")
    assert peer.verdict(100) is None
    assert "1 of 99" in peer.verdict(99) and "plan 7: INTERNAL Error: one" in peer.verdict(99)

"""A project with a server."""

import pytest

from harness.server import Server, end_workers


@pytest.fixture
def serve(project):
    """A factory of servers of the project; all are ended, and so are their workers."""
    servers = []

    def start(*arguments, **options):
        servers.append(Server(project, *arguments, **options))
        return servers[-1]

    project.write("mutirao.yaml", "name: test\n")
    yield start
    for server in servers:
        server.stop()
    end_workers(project)

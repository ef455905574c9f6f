"""The tests' hub with a journal, and a good world: what a whole play leaves, in a database and a folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from engine.stack import Stack
from tests.crash.driver import persistent
from tests.crash.trial import Scene, renamed
from tests.crash.world import WORLD, World, copy_record
from tests.scenarios.pack import a_child_at_risk, a_concern_that_becomes_clear, a_return_after_the_decision
from tests.scenarios.play import Hub, play

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def scene(running: tuple[Stack, Hub], tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The tests' hub, for storms."""
    return Scene(*running, tmp_path_factory.mktemp("told") / "scene")


@pytest.fixture(scope="session")
def good_world(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Three cases played once: a clear one, an early end, and a late return with a second decision."""
    stories = (a_child_at_risk, a_concern_that_becomes_clear, a_return_after_the_decision)
    played = play(scene.hub, [renamed(story, "world") for story in stories], sign_in=persistent(scene.journal))
    assert [each.trouble for each in played] == [None, None, None]
    scene.calm_down()
    mail = tmp_path_factory.mktemp("world") / "mail"
    shutil.copytree(scene.hub.mail, mail)
    references = frozenset(each.reference for each in played)
    copy_record(scene, references)
    return World(scene, WORLD, mail, references)


@pytest.fixture
def world(good_world: World, tmp_path: Path) -> Iterator[World]:
    """A copy of the good world, to be broken."""
    name = f"crash_copy_{next(_NUMBERS)}"
    shutil.copytree(good_world.mail, tmp_path / "mail")
    with psycopg.connect(good_world.scene.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(WORLD)))
        yield World(good_world.scene, name, tmp_path / "mail", good_world.references)
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

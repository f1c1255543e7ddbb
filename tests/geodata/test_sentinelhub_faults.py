"""When the service fails: try again where that helps, else one sentence and nothing half-written."""

import logging
import traceback
from datetime import UTC, datetime

import pytest
import rasterio
import shapely
from fakes.sentinel_hub import CATALOG, CLIENT_ID, CLIENT_SECRET, PROCESS, TOKEN, product, running_hub
from sentinelhub.config import SHConfig

from geodata.errors import InputError
from geodata.sources.sentinelhub.client import PatientLimit, TooLongWait
from geodata.sources.sentinelhub.connection import Connection
from geodata.sources.sentinelhub.credentials import read_config
from geodata.sources.sentinelhub.fetch import carry_out
from geodata.sources.sentinelhub.plan import Order, make_plan
from geodata.sources.sentinelhub.products import PRODUCTS


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with running_hub(monkeypatch, tmp_path) as service:
        service.products = [product(value=1500)]
        yield service


@pytest.fixture
def order(tmp_path):
    return Order(
        area=shapely.box(77.0, 28.6, 77.3, 28.602),
        start=datetime(2024, 1, 1, tzinfo=UTC),
        end=datetime(2024, 1, 31, tzinfo=UTC),
        out=tmp_path / "imagery",
        product=PRODUCTS["l2a"],
        bands=("B04", "SCL"),
    )


def fetch(order):
    connection = Connection(read_config())
    return carry_out(connection, make_plan(connection, order))


def failing(order) -> str:
    """The sentence of a fetch that must fail, after a look that nothing of it is left on the disk."""
    with pytest.raises(InputError) as caught:
        fetch(order)
    assert not order.out.exists() or list(order.out.iterdir()) == []
    text = "".join(traceback.format_exception(caught.value))
    assert CLIENT_SECRET not in text and CLIENT_ID not in text and "eyJ-test-token" not in text
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("path", [CATALOG, PROCESS])
@pytest.mark.parametrize("fault", ["401", "429", "500", "503"])
def test_passing_failures_are_tried_again(hub, order, path, fault):
    hub.fail(path, fault, times=2, Retry_After="30")
    (written,) = fetch(order)
    with rasterio.open(written) as dataset:
        assert dataset.read(1).min() == 1500


@pytest.mark.parametrize("fault", ["cut", "garbled", "wrong_size", "empty", "other_place"])
def test_an_answer_that_is_not_what_was_asked_for_is_tried_again(hub, order, fault):
    hub.fail(PROCESS, fault, times=2)
    (written,) = fetch(order)
    with rasterio.open(written) as dataset:
        assert dataset.read(1).min() == 1500


def test_a_refused_token_is_renewed(hub, order):
    hub.fail(PROCESS, "401")
    fetch(order)
    assert len(hub.asked(TOKEN)) == 2


def test_an_ended_token_is_renewed_before_it_is_used(hub, order):
    hub.token_lifetime_s = 60  # shorter than the client's margin
    fetch(order)
    assert len(hub.asked(TOKEN)) > 2


@pytest.mark.parametrize(
    ("path", "fault", "says"),
    [
        (PROCESS, "401", "refused the token"),
        (PROCESS, "403", "no processing units are left"),
        (PROCESS, "400", "answered 400"),
        (PROCESS, "429", "answered 429"),
        (PROCESS, "500", "answered 500"),
        (PROCESS, "cut", "no whole answer"),
        (PROCESS, "garbled", "do not decode as a TIFF"),
        (PROCESS, "wrong_size", "instead of"),
        (PROCESS, "empty", "without data"),
        (PROCESS, "other_place", "another place"),
        (CATALOG, "401", "refused the token"),
        (CATALOG, "500", "Searching the Catalog: the service answered 500"),
        (CATALOG, "nonsense", "not a Catalog's"),
        (TOKEN, "401", "did not accept the credentials"),
        (TOKEN, "500", "gave no token"),
    ],
)
def test_lasting_failures_are_one_sentence_and_leave_nothing(hub, order, path, fault, says):
    hub.fail(path, fault, times=99, Retry_After="1")
    said = failing(order)
    assert says in said
    if path == PROCESS:
        assert "part 1 of 2 is missing" in said


def test_a_failure_in_the_middle_leaves_finished_files_only(hub, order):
    west, east = (76.0, 28.0, 77.15, 29.0), (77.149, 28.0, 78.0, 29.0)
    hub.products = [product(day=15, bounds=west), product(day=20, bounds=east)]
    hub.faults[PROCESS].extend([None] * 2)  # both parts of the first file come
    hub.fail(PROCESS, "garbled", times=99)
    with pytest.raises(InputError, match=r"20240120.*part 1 of"):
        fetch(order)
    (left,) = order.out.iterdir()
    assert "20240115" in left.name
    hub.faults.clear()
    (again,) = fetch(order)
    assert "20240120" in again.name


def test_ctrl_c_leaves_nothing(hub, order):
    connection = Connection(read_config())

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(connection, make_plan(connection, order), stop)
    assert list(order.out.iterdir()) == []


def test_a_server_that_is_not_there(hub, order, monkeypatch):
    monkeypatch.setenv("SH_TOKEN_URL", "http://127.0.0.1:9/token")
    assert "gave no token" in failing(order)


def test_a_retry_after_of_days_is_not_waited_for(hub, order):
    hub.fail(PROCESS, "429", times=99, Retry_After=str(3 * 24 * 3600 * 1000))
    assert "asks to wait 4320 minutes" in failing(order)


def test_the_limit_bears_dates_and_waits_longer_each_time():
    limit = PatientLimit(least_s=1.0)
    limit.update({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, default=200)
    assert 0 < limit.register_next() <= 0.2
    for expected in (1.0, 2.0, 4.0):
        limit.update({"Retry-After": "1"}, default=200)
        assert expected / 2 < limit.register_next() <= expected
    limit.forget()
    limit.update({"Retry-After": "1"}, default=200)
    with pytest.raises(TooLongWait):
        limit.update({"Retry-After": "99000000"}, default=200)


def test_an_output_folder_that_cannot_be_made_costs_nothing(hub, order):
    order.out.write_text("a file")
    with pytest.raises(InputError, match="is a file, not a folder"):
        fetch(order)
    assert hub.asked(PROCESS) == []


def test_credentials_appear_in_no_log(hub, order, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    for name in ("requests_oauthlib", "oauthlib"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    hub.fail(PROCESS, "401")
    hub.fail(PROCESS, "500")
    fetch(order)
    hub.fail(PROCESS, "400", times=9)
    for path in order.out.iterdir():
        path.unlink()
    failing(order)
    said = caplog.text + "".join(capfd.readouterr())
    assert "Successful POST request" in said  # the client did log
    for secret in (CLIENT_SECRET, CLIENT_ID, "eyJ-test-token"):
        assert secret not in said


def test_credentials_are_needed_and_go_to_https_only(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("SH_PROFILE", raising=False)
    for name in ("SH_CLIENT_ID", "SH_CLIENT_SECRET", "SH_BASE_URL", "SH_TOKEN_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="No credentials"):
        read_config()
    assert list(tmp_path.iterdir()) == []  # the client's own file is not made by looking for it
    known = {"SH_CLIENT_ID": "a", "SH_CLIENT_SECRET": "b"}
    assert read_config(known).sh_base_url.startswith("https://")
    for name in ("SH_BASE_URL", "SH_TOKEN_URL"):
        with pytest.raises(InputError, match=f"{name} is 'http://example.invalid'.*https"):
            read_config({**known, name: "http://example.invalid"})


def test_a_profile_of_the_client_is_read(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("SH_CLIENT_ID", "SH_CLIENT_SECRET", "SH_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    SHConfig(use_defaults=True, sh_client_id="a", sh_client_secret="b").save("mine")
    assert read_config({}, "mine").sh_client_id == "a"
    assert read_config({"SH_PROFILE": "mine"}).sh_client_secret == "b"
    assert read_config({"SH_CLIENT_ID": "other"}, "mine").sh_client_id == "other"
    with pytest.raises(InputError, match="no profile 'yours'"):
        read_config({}, "yours")
    with pytest.raises(InputError, match="No credentials"):
        read_config({})  # only a named profile is there
    (tmp_path / "sentinelhub" / "config.toml").write_text('sh_client_secret = "hush')
    with pytest.raises(InputError, match="cannot be read") as caught:
        read_config({}, "mine")
    assert "hush" not in "".join(traceback.format_exception(caught.value))

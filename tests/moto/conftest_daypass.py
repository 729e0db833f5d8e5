"""A pytest plugin: every test of moto's suite gets a Daypass of its own instead of moto's mock, with an empty account 123456789012.

    PYTHONPATH=tests/moto pytest -p conftest_daypass …      (tests/moto.sh does it)

Needs DAYPASS (the program), PORT and RESULTS (a file; a line for each test: outcome, name, last line of the failure). moto is asked for its server mode, in which its decorators only send clients elsewhere.
"""

import os
import shutil
import subprocess
import tempfile
import time
import urllib.request

os.environ.update(TEST_SERVER_MODE="true", MOTO_CALL_RESET_API="false", AWS_EC2_METADATA_DISABLED="true")
PORT = int(os.environ["PORT"])
ENDPOINT = f"http://127.0.0.1:{PORT}"
os.environ["TEST_SERVER_MODE_ENDPOINT"] = ENDPOINT
os.environ.pop("AWS_PROFILE", None)

import pytest  # noqa: E402
from moto.core.config import default_user_config  # noqa: E402

default_user_config["core"]["mock_credentials"] = False


class Server:
    """A server on fresh data, and its administrator's credentials in the environment."""

    def __init__(self):
        self.data = tempfile.mkdtemp(prefix="daypass-moto-")
        program, self.log = os.environ["DAYPASS"], open(f"{self.data}.log", "w")
        command = [program, "up", "--data", self.data, "--listen", f"127.0.0.1:{PORT}"]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        for _ in range(400):
            assert self.process.poll() is None, open(self.log.name).read()
            try:
                urllib.request.urlopen(f"{ENDPOINT}/_daypass/health", timeout=1)
                break
            except OSError:
                time.sleep(0.02)
        told = subprocess.run([program, "env", "--data", self.data], capture_output=True, text=True, check=True)
        for line in told.stdout.splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            if name.startswith("AWS_") and name != "AWS_CA_BUNDLE":
                os.environ[name] = value.strip("'\"")
        # moto's mock knows the endpoint; clients outside of it find it here.
        os.environ["AWS_ENDPOINT_URL"] = ENDPOINT

    def end(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        os.remove(self.log.name)
        shutil.rmtree(self.data, ignore_errors=True)


@pytest.fixture(autouse=True)
def daypass():
    import boto3

    server = Server()
    boto3.DEFAULT_SESSION = None
    yield
    server.end()


def pytest_runtest_logreport(report):
    """What came of a test, at once."""
    if report.when == "call" or report.failed or report.skipped:
        why = str(report.longrepr).splitlines()[-1][:300] if report.failed and report.longrepr else ""
        with open(os.environ["RESULTS"], "a") as results:
            results.write(f"{report.outcome}\t{report.nodeid.removeprefix('tests/')}\t{why}\n")

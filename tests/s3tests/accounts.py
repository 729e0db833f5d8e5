"""A pytest plugin: accounts for ceph/s3-tests on the server whose data directory is DAYPASS_DATA, and the suite's configuration.

Every worker gets accounts of its own, because the suite empties its accounts after each test. SHAPE says which:

* `s3`: the suite's users are administrators, each of an account of its own.
* `iam`: the suite's users `iam` and `alt` are of one account, because the suite gives policies of the one to the other by name.
  Ceph's users own buckets without any policy; here they are administrators.

RESULTS is a file that gets a line for each test: outcome, name, marks, last line of the failure.
"""

import json
import os
import random
import subprocess
import tempfile

import boto3

SHAPE = os.environ.get("SHAPE", "s3")
# Of each run anew.
MARKS = set()
# The keys that stand in for root users, with their accounts.
ROOTS = {}
RUN = random.randrange(10**9, 10**10)
ACCOUNTS = {name: f"{RUN}{number:02}" for number, name in enumerate(["main", "alt", "tenant", "iam", "root", "alt root"], 10)}


def session(account):
    """An administrator's session of an account, which is made if it is not there."""
    command = [os.environ["DAYPASS"], "env", "--format", "json", "--create", "--account", account, "--duration", "43200"]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    os.environ["ENDPOINT"] = told["AWS_ENDPOINT_URL"]
    keys = [told[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")]
    return boto3.Session(*keys, region_name="us-east-1")


def user(name, account, is_id_a_name=False):
    """The key and canonical id of a new administrator."""
    iam = session(account).client("iam", endpoint_url=os.environ["ENDPOINT"])
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName=name)["AccessKey"]
    found = {"display_name": name, "access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"], "email": f"{name}@example.com"}
    s3 = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1").client("s3", endpoint_url=os.environ["ENDPOINT"])
    return {**found, "user_id": name if is_id_a_name else s3.list_buckets()["Owner"]["ID"]}


def configuration():
    together = SHAPE == "iam"
    sections = {
        "s3 main": user("main", ACCOUNTS["main"]),
        "s3 alt": user("alt", ACCOUNTS["iam" if together else "alt"], is_id_a_name=together),
        "s3 tenant": {**user("tenant", ACCOUNTS["tenant"]), "tenant": ""},
        "iam": user("iam", ACCOUNTS["iam"]),
        "iam root": user("root", ACCOUNTS["root"]),
        "iam alt root": user("altroot", ACCOUNTS["alt root"]),
        "fixtures": {"bucket prefix": "s3t-{random}-", "iam name prefix": "s3-tests-", "iam path prefix": "/s3-tests/"},
        "webidentity": json.loads(os.environ["WEB_IDENTITY"]),
    }
    ROOTS.update({sections[f"iam {name}"]["access_key"]: ACCOUNTS[name] for name in ("root", "alt root")})
    kms = session(ACCOUNTS["main"]).client("kms", endpoint_url=os.environ["ENDPOINT"])
    keys = {name: kms.create_key()["KeyMetadata"]["Arn"] for name in ("kms_keyid", "kms_keyid2")}
    sections["s3 main"] |= {"api_name": "eu-west-1", "lc_debug_interval": os.environ["LIFECYCLE_DAY"], **keys}
    host, port = os.environ["ENDPOINT"].removeprefix("http://").split(":")
    sections["DEFAULT"] = {"host": "localhost" if host == "127.0.0.1" else host, "port": port, "is_secure": "False", "ssl_verify": "False"}
    return "\n".join(f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in values.items()) for section, values in sections.items())


def pytest_configure(config):
    MARKS.update(line.split(":")[0].strip() for line in config.getini("markers"))


def is_worker():
    return "PYTEST_XDIST_WORKER" in os.environ or not os.environ.get("WORKERS")


if is_worker():
    with tempfile.NamedTemporaryFile("w", prefix="s3tests-", suffix=".conf", delete=False) as file:
        file.write(configuration())
        os.environ["S3TEST_CONF"] = file.name


def pytest_unconfigure(config):
    if is_worker():
        os.remove(os.environ["S3TEST_CONF"])


def pytest_runtest_logreport(report):
    """What came of a test, at once; with several workers, where they report to."""
    if "PYTEST_XDIST_WORKER" in os.environ or not (report.when == "call" or report.failed or report.skipped):
        return
    why = ""
    if report.failed and report.longrepr:
        crash = getattr(report.longrepr, "reprcrash", None)
        why = " ".join((crash.message if crash else str(report.longrepr)).split())[:300]
    marks = ",".join(sorted(name for name in report.keywords if name in MARKS))
    with open(os.environ["RESULTS"], "a") as results:
        results.write(f"{report.outcome}\t{report.nodeid.removeprefix('s3tests/functional/')}\t{marks}\t{why}\n")

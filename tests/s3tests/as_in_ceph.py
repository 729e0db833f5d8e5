"""A pytest plugin: what ceph/s3-tests takes for granted of Ceph's IAM, and AWS does otherwise, is done here.

* Ceph's older users are of no account, so that the ARNs of their roles and in their policies name none. Here they are of the
  account of the user `iam`: its id is put in where a request names none, and taken out of answers to the account's keys.
* Its providers of identities are `http://`; AWS wants `https://`.
* It deletes users that are still members of groups, which AWS refuses.
* The suite signs for a region without a name, and AWS refuses that. Here it is us-east-1.
* Ceph's accounts have a root user with access keys, which the suite asks for by GetUser. Here an administrator stands in
  for it, and GetUser says what it would say to the root user.
"""

import os

import boto3
import botocore.client
import botocore.exceptions
import pytest

import accounts

# The suite names some buckets itself, which all workers would make.
NAMED = [(name, f"{name}-{accounts.ACCOUNTS['iam']}") for name in ("test1", "test2")]
OF_NOBODY = "arn:aws:iam:::"
OWN = f"arn:aws:iam::{accounts.ACCOUNTS['iam']}:"
# What sessions are called; the suite takes them for parts of IAM.
SESSIONS = f"arn:aws:sts::{accounts.ACCOUNTS['iam']}:"
call = botocore.client.BaseClient._make_api_call


def replaced(value, words):
    if isinstance(value, str):
        for before, after in words:
            value = value.replace(before, after)
        return value
    if isinstance(value, list):
        return [replaced(item, words) for item in value]
    if isinstance(value, dict):
        return {name: replaced(item, words) for name, item in value.items()}
    return value


def make_api_call(self, operation, parameters):
    service, key = self.meta.service_model.service_name, self._request_signer._credentials
    key = key.access_key if key else None
    if service == "iam" and operation == "GetUser" and not parameters and key in accounts.ROOTS:
        account = accounts.ROOTS[key]
        return {"User": {"UserName": "root", "UserId": account, "Arn": f"arn:aws:iam::{account}:root"}}
    if os.environ["SHAPE"] == "s3":
        return call(self, operation, parameters)
    if operation == "CreateOpenIDConnectProvider":
        parameters = replaced(parameters, [("http://", "https://")])
    if operation == "DeleteUser" and "UserName" in parameters:
        leave_groups(self, parameters)
    answer = call(self, operation, replaced(parameters, [(OF_NOBODY + "assumed-role", SESSIONS + "assumed-role"), (OF_NOBODY, OWN), *NAMED]))
    if service in ("iam", "sts"):
        answer = replaced(answer, [(OWN, OF_NOBODY), (SESSIONS, "arn:aws:sts:::")])
    return answer


def leave_groups(iam, user):
    try:
        groups = call(iam, "ListGroupsForUser", user)["Groups"]
    except botocore.exceptions.ClientError:
        return
    for group in groups:
        call(iam, "RemoveUserFromGroup", {**user, "GroupName": group["GroupName"]})


def in_a_region(make):
    def made(*arguments, **options):
        return make(*arguments, **{**options, "region_name": options.get("region_name") or "us-east-1"})

    return made


botocore.client.BaseClient._make_api_call = make_api_call
boto3.client, boto3.resource = in_a_region(boto3.client), in_a_region(boto3.resource)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item):
    """What a test that failed gave the user `alt` would be in the way of all that follow, and so would its provider."""
    if os.environ["SHAPE"] != "iam":
        return
    iam = accounts.session(accounts.ACCOUNTS["iam"]).client("iam", endpoint_url=os.environ["ENDPOINT"])
    for name in call(iam, "ListUserPolicies", {"UserName": "alt"})["PolicyNames"]:
        call(iam, "DeleteUserPolicy", {"UserName": "alt", "PolicyName": name})
    for provider in call(iam, "ListOpenIDConnectProviders", {})["OpenIDConnectProviderList"]:
        call(iam, "DeleteOpenIDConnectProvider", {"OpenIDConnectProviderArn": provider["Arn"]})

#!/usr/bin/env python3
"""Ways to more rights than one was given, tried through the API of a running server with unmodified boto3.

A *path* is something that leads to more rights: those that DataDog's pathfinding.cloud and Rhino Security Labs published, as far
as they touch what is served here, and their like in EC2, S3 and Organizations. Each is tried against every *barrier* that should
stop it:
    absent      nobody allowed it
    without X   everything that it takes was allowed but one
    elsewhere   it was allowed on another resource
    denied      everything is allowed, and this denied
    boundary    everything is allowed, and the permissions boundary leaves this out
    session     the session of a role that may everything, with a session policy that leaves this out
    scp         a member account's administrator, where a service control policy denies this
A case passes if the attempt is refused with AWS's error *and* the same call succeeds with exactly the permissions that it takes
(the control). After the paths come the cases that are no such product: trust, cross-account, confused deputies, control policies,
second paths to the same effect, principals that were replaced.

  escalation.py [--only REGEX]      with AWS_ENDPOINT_URL and administrator credentials in the environment

Ends with 'N passed, N failed, N skipped'; skipped is what this server does not build (the control said so by name).
"""
import argparse, itertools, json, os, re, sys, time, urllib.error, urllib.request

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}
NOT_BUILT = {"NotImplemented", "NotImplementedException", "UnsupportedOperation"}
CONFIG = Config(retries={"total_max_attempts": 1}, region_name="us-east-1", s3={"addressing_style": "path"})
RUN = format(int(time.time() * 10) % 36**6, "x")
COUNT = itertools.count(1)
TALLY = {"passed": 0, "failed": 0, "skipped": 0}


def name(prefix):
    return f"{prefix}-{RUN}-{next(COUNT)}"


def client(service, keys=None):
    k = {} if keys is None else dict(aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                                     aws_session_token=keys.get("SessionToken"))
    return (boto3.Session() if keys is None else boto3.Session(**k)).client(service, config=CONFIG)


def ssh_public_key():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action, resource="*", **more):
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def trust(principal, action="sts:AssumeRole", **more):
    return document({"Effect": "Allow", "Principal": principal, "Action": action, **more})


def report(status, case, detail=""):
    TALLY[status] += 1
    mark = {"passed": "ok", "failed": "not ok", "skipped": "ok"}[status]
    print(f"{mark} {sum(TALLY.values())} - {case}" + (f" # SKIP {detail}" if status == "skipped" else ""), flush=True)
    if status == "failed":
        print(f"#   {str(detail)[:400]}", flush=True)


def code_of(call):
    """What came of a call: None for success, else the error's code and message."""
    try:
        call()
        return None, ""
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return (None, "") if code == "DryRunOperation" else (code, error.response["Error"].get("Message", ""))


class World:
    """An account with its administrator, and an attacker in it: a user and a role of no rights but those given to them."""

    def __init__(self, account, keys=None):
        self.account, self.keys = account, keys
        self.admin = {s: client(s, keys) for s in ("iam", "sts", "ec2", "s3", "organizations")}
        iam = self.admin["iam"]
        self.user = name("attacker")
        iam.create_user(UserName=self.user)
        key = iam.create_access_key(UserName=self.user)["AccessKey"]
        self.attacker = {"AccessKeyId": key["AccessKeyId"], "SecretAccessKey": key["SecretAccessKey"]}
        self.role = name("attacker-role")
        iam.create_role(RoleName=self.role, AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{account}:root"}))
        iam.put_role_policy(RoleName=self.role, PolicyName="all", PolicyDocument=document(allow("*")))
        self.clients = {}

    def arn(self, kind, of):
        return f"arn:aws:iam::{self.account}:{kind}/{of}"

    def may(self, *statements):
        """The attacker's only policy."""
        statements = statements or (deny("none:None"),)
        self.admin["iam"].put_user_policy(UserName=self.user, PolicyName="p", PolicyDocument=document(*statements))

    def bounded(self, *statements):
        iam = self.admin["iam"]
        arn = iam.create_policy(PolicyName=name("boundary"), PolicyDocument=document(*statements))["Policy"]["Arn"]
        iam.put_user_permissions_boundary(UserName=self.user, PermissionsBoundary=arn)

    def unbounded(self):
        self.admin["iam"].delete_user_permissions_boundary(UserName=self.user)

    def session(self, *statements, role=None, **more):
        if statements:
            more["Policy"] = document(*statements)
        return self.admin["sts"].assume_role(RoleArn=self.arn("role", role or self.role), RoleSessionName="attack", **more)["Credentials"]

    def call(self, service, keys=None):
        keys = keys or self.attacker
        known = self.clients.setdefault((service, keys["AccessKeyId"]), None)
        if known is None:
            known = self.clients[service, keys["AccessKeyId"]] = client(service, keys)
        return known


class Path:
    """`takes`: the actions and, where it is not `*`, on what; `attempt(world, clients, target)` does it."""

    def __init__(self, title, takes, setup, attempt, member=True, session=True):
        self.title, self.takes, self.setup, self.attempt = title, takes, setup, attempt
        self.member, self.session = member, session


PATHS = []


def path(title, takes, setup=lambda w: {}, member=True, session=True):
    def register(attempt):
        PATHS.append(Path(title, takes, setup, attempt, member, session))
        return attempt
    return register


# ---------------------------------------------------------------------------------------------------------------- what is attacked
def victim(w):
    u = name("victim"); w.admin["iam"].create_user(UserName=u)
    return {"user": u, "arn": w.arn("user", u)}


def victim_key(w):
    t = victim(w)
    t["key"] = w.admin["iam"].create_access_key(UserName=t["user"])["AccessKey"]["AccessKeyId"]
    w.admin["iam"].update_access_key(UserName=t["user"], AccessKeyId=t["key"], Status="Inactive")
    return t


def restrained(w):
    """A user whose policies hold it back."""
    t, iam = victim(w), w.admin["iam"]
    t["policy"] = iam.create_policy(PolicyName=name("deny"), PolicyDocument=document(deny("s3:*")))["Policy"]["Arn"]
    iam.attach_user_policy(UserName=t["user"], PolicyArn=t["policy"])
    iam.put_user_policy(UserName=t["user"], PolicyName="deny", PolicyDocument=document(deny("ec2:*")))
    iam.put_user_permissions_boundary(UserName=t["user"], PermissionsBoundary=t["policy"])
    t["group"] = name("held"); iam.create_group(GroupName=t["group"]); iam.add_user_to_group(GroupName=t["group"], UserName=t["user"])
    t["group_arn"] = w.arn("group", t["group"])
    return t


def group(w):
    g = name("admins"); w.admin["iam"].create_group(GroupName=g)
    w.admin["iam"].put_group_policy(GroupName=g, PolicyName="all", PolicyDocument=document(allow("*")))
    return {"group": g, "arn": w.arn("group", g)}


def role(w, service="ec2.amazonaws.com"):
    r = name("strong"); iam = w.admin["iam"]
    iam.create_role(RoleName=r, AssumeRolePolicyDocument=trust({"Service": service}))
    iam.put_role_policy(RoleName=r, PolicyName="all", PolicyDocument=document(allow("*")))
    return {"role": r, "arn": w.arn("role", r)}


def restrained_role(w):
    t, iam = role(w), w.admin["iam"]
    t["policy"] = iam.create_policy(PolicyName=name("deny"), PolicyDocument=document(deny("s3:*")))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=t["role"], PolicyArn=t["policy"])
    iam.put_role_permissions_boundary(RoleName=t["role"], PermissionsBoundary=t["policy"])
    iam.tag_role(RoleName=t["role"], Tags=[{"Key": "held", "Value": "yes"}])
    return t


def policy(w):
    iam = w.admin["iam"]
    arn = iam.create_policy(PolicyName=name("policy"), PolicyDocument=document(allow("s3:GetObject")))["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("*")))
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(deny("*")))
    return {"arn": arn}


def profile(w):
    t, iam = role(w), w.admin["iam"]
    t["profile"] = name("profile"); iam.create_instance_profile(InstanceProfileName=t["profile"])
    t["profile_arn"] = w.arn("instance-profile", t["profile"])
    return t


def full_profile(w):
    t = profile(w)
    w.admin["iam"].add_role_to_instance_profile(InstanceProfileName=t["profile"], RoleName=t["role"])
    return t


def assumable(w):
    t = role(w)
    w.admin["iam"].update_assume_role_policy(RoleName=t["role"], PolicyDocument=trust({"AWS": f"arn:aws:iam::{w.account}:root"}))
    return t


def bucket(w):
    b, s3 = name("secret"), w.admin["s3"]
    s3.create_bucket(Bucket=b)
    s3.put_bucket_versioning(Bucket=b, VersioningConfiguration={"Status": "Enabled"})
    v = s3.put_object(Bucket=b, Key="key", Body=b"secret")["VersionId"]
    s3.put_object(Bucket=b, Key="key", Body=b"newer")
    s3.put_public_access_block(Bucket=b, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    own = name("own"); s3.create_bucket(Bucket=own)
    return {"bucket": b, "arn": f"arn:aws:s3:::{b}", "objects": f"arn:aws:s3:::{b}/*", "version": v, "own": own, "into": f"arn:aws:s3:::{own}/*"}


def policed_bucket(w):
    t = bucket(w)
    # It denies somebody else: what is tried is to be rid of it.
    w.admin["s3"].put_bucket_policy(Bucket=t["bucket"], Policy=document(
        dict(deny("s3:DeleteObject", t["objects"]), Principal="*")))
    return t


def security_group(w):
    g = w.admin["ec2"].create_security_group(GroupName=name("firewall"), Description="d")["GroupId"]
    return {"id": g, "arn": f"arn:aws:ec2:us-east-1:{w.account}:security-group/{g}"}


def vpc(w):
    v = w.admin["ec2"].create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    return {"id": v, "arn": f"arn:aws:ec2:us-east-1:{w.account}:vpc/{v}"}


def template(w):
    t = full_profile(w)
    made = w.admin["ec2"].create_launch_template(LaunchTemplateName=name("lt"), LaunchTemplateData={"InstanceType": "t3.micro"})["LaunchTemplate"]
    return dict(t, template=made["LaunchTemplateId"], template_arn=f"arn:aws:ec2:us-east-1:{w.account}:launch-template/{made['LaunchTemplateId']}")


# ------------------------------------------------------------------------------------------------------------------------ IAM, STS
@path("iam:CreatePolicyVersion makes a policy say everything", [("iam:CreatePolicyVersion", "arn")], policy)
def _(w, c, t): c("iam").create_policy_version(PolicyArn=t["arn"], PolicyDocument=document(allow("*")), SetAsDefault=True)

@path("iam:SetDefaultPolicyVersion goes back to a version that said more", [("iam:SetDefaultPolicyVersion", "arn")], policy)
def _(w, c, t): c("iam").set_default_policy_version(PolicyArn=t["arn"], VersionId="v2")

@path("iam:DeletePolicyVersion removes what a policy said", [("iam:DeletePolicyVersion", "arn")], policy)
def _(w, c, t): c("iam").delete_policy_version(PolicyArn=t["arn"], VersionId="v3")

@path("iam:CreateAccessKey gives another user's rights", [("iam:CreateAccessKey", "arn")], victim)
def _(w, c, t): c("iam").create_access_key(UserName=t["user"])

@path("iam:UpdateAccessKey brings an old key back", [("iam:UpdateAccessKey", "arn")], victim_key)
def _(w, c, t): c("iam").update_access_key(UserName=t["user"], AccessKeyId=t["key"], Status="Active")

@path("iam:DeleteAccessKey makes room for one's own", [("iam:DeleteAccessKey", "arn")], victim_key)
def _(w, c, t): c("iam").delete_access_key(UserName=t["user"], AccessKeyId=t["key"])

@path("iam:CreateLoginProfile gives another user a password", [("iam:CreateLoginProfile", "arn")], victim)
def _(w, c, t): c("iam").create_login_profile(UserName=t["user"], Password="Abcdef-12345-Ghijkl")

@path("iam:UpdateLoginProfile changes another user's password", [("iam:UpdateLoginProfile", "arn")], victim)
def _(w, c, t):
    code_of(lambda: w.admin["iam"].create_login_profile(UserName=t["user"], Password="Abcdef-12345-Ghijkl"))
    c("iam").update_login_profile(UserName=t["user"], Password="Mnopqr-12345-Stuvwx")

@path("iam:AttachUserPolicy", [("iam:AttachUserPolicy", "arn")], victim)
def _(w, c, t): c("iam").attach_user_policy(UserName=t["user"], PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")

@path("iam:AttachGroupPolicy", [("iam:AttachGroupPolicy", "arn")], group)
def _(w, c, t): c("iam").attach_group_policy(GroupName=t["group"], PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")

@path("iam:AttachRolePolicy", [("iam:AttachRolePolicy", "arn")], role)
def _(w, c, t): c("iam").attach_role_policy(RoleName=t["role"], PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")

@path("iam:PutUserPolicy", [("iam:PutUserPolicy", "arn")], victim)
def _(w, c, t): c("iam").put_user_policy(UserName=t["user"], PolicyName="x", PolicyDocument=document(allow("*")))

@path("iam:PutGroupPolicy", [("iam:PutGroupPolicy", "arn")], group)
def _(w, c, t): c("iam").put_group_policy(GroupName=t["group"], PolicyName="x", PolicyDocument=document(allow("*")))

@path("iam:PutRolePolicy", [("iam:PutRolePolicy", "arn")], role)
def _(w, c, t): c("iam").put_role_policy(RoleName=t["role"], PolicyName="x", PolicyDocument=document(allow("*")))

@path("iam:AddUserToGroup", [("iam:AddUserToGroup", "arn")], lambda w: dict(group(w), user=victim(w)["user"]))
def _(w, c, t): c("iam").add_user_to_group(GroupName=t["group"], UserName=t["user"])

@path("iam:UpdateAssumeRolePolicy", [("iam:UpdateAssumeRolePolicy", "arn")], role)
def _(w, c, t): c("iam").update_assume_role_policy(RoleName=t["role"], PolicyDocument=trust({"AWS": w.arn("user", w.user)}))

@path("iam:DeleteUserPermissionsBoundary", [("iam:DeleteUserPermissionsBoundary", "arn")], restrained)
def _(w, c, t): c("iam").delete_user_permissions_boundary(UserName=t["user"])

@path("iam:PutUserPermissionsBoundary", [("iam:PutUserPermissionsBoundary", "arn")], restrained)
def _(w, c, t): c("iam").put_user_permissions_boundary(UserName=t["user"], PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess")

@path("iam:DeleteRolePermissionsBoundary", [("iam:DeleteRolePermissionsBoundary", "arn")], restrained_role)
def _(w, c, t): c("iam").delete_role_permissions_boundary(RoleName=t["role"])

@path("iam:PutRolePermissionsBoundary", [("iam:PutRolePermissionsBoundary", "arn")], restrained_role)
def _(w, c, t): c("iam").put_role_permissions_boundary(RoleName=t["role"], PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess")

@path("iam:DetachUserPolicy takes a denial off", [("iam:DetachUserPolicy", "arn")], restrained)
def _(w, c, t): c("iam").detach_user_policy(UserName=t["user"], PolicyArn=t["policy"])

@path("iam:DeleteUserPolicy takes an inline denial off", [("iam:DeleteUserPolicy", "arn")], restrained)
def _(w, c, t): c("iam").delete_user_policy(UserName=t["user"], PolicyName="deny")

@path("iam:RemoveUserFromGroup leaves what holds it back", [("iam:RemoveUserFromGroup", "group_arn")], restrained)
def _(w, c, t): c("iam").remove_user_from_group(UserName=t["user"], GroupName=t["group"])

@path("iam:DetachRolePolicy takes a denial off", [("iam:DetachRolePolicy", "arn")], restrained_role)
def _(w, c, t): c("iam").detach_role_policy(RoleName=t["role"], PolicyArn=t["policy"])

@path("iam:DeleteRolePolicy", [("iam:DeleteRolePolicy", "arn")], role)
def _(w, c, t): c("iam").delete_role_policy(RoleName=t["role"], PolicyName="all")

@path("iam:TagRole satisfies a condition on tags", [("iam:TagRole", "arn")], restrained_role)
def _(w, c, t): c("iam").tag_role(RoleName=t["role"], Tags=[{"Key": "access", "Value": "admin"}])

@path("iam:UntagRole removes what a denial looks for", [("iam:UntagRole", "arn")], restrained_role)
def _(w, c, t): c("iam").untag_role(RoleName=t["role"], TagKeys=["held"])

@path("iam:TagUser satisfies a condition on tags", [("iam:TagUser", "arn")], victim)
def _(w, c, t): c("iam").tag_user(UserName=t["user"], Tags=[{"Key": "access", "Value": "admin"}])

@path("iam:UpdateRole makes sessions longer", [("iam:UpdateRole", "arn")], role)
def _(w, c, t): c("iam").update_role(RoleName=t["role"], MaxSessionDuration=43200)

@path("iam:UpdateGroup renames a group to one that may more", [("iam:UpdateGroup", "arn"), ("iam:UpdateGroup", "to_arn")],
      lambda w: (lambda t, n: dict(t, to=n, to_arn=w.arn("group", n)))(group(w), name("renamed")))
def _(w, c, t): c("iam").update_group(GroupName=t["group"], NewGroupName=t["to"])

@path("iam:CreateRole with a trust policy of one's own", [("iam:CreateRole", "arn")], lambda w: (lambda n: {"role": n, "arn": w.arn("role", n)})(name("mine")))
def _(w, c, t): c("iam").create_role(RoleName=t["role"], AssumeRolePolicyDocument=trust({"AWS": w.arn("user", w.user)}))

@path("iam:CreateUser", [("iam:CreateUser", "arn")], lambda w: (lambda n: {"user": n, "arn": w.arn("user", n)})(name("mine")))
def _(w, c, t): c("iam").create_user(UserName=t["user"])

@path("iam:CreatePolicy", [("iam:CreatePolicy", "arn")], lambda w: (lambda n: {"name": n, "arn": w.arn("policy", n)})(name("mine")))
def _(w, c, t): c("iam").create_policy(PolicyName=t["name"], PolicyDocument=document(allow("*")))

@path("iam:DeleteRole and the way is free for another one", [("iam:DeleteRole", "arn")], lambda w: (lambda t: (w.admin["iam"].delete_role_policy(RoleName=t["role"], PolicyName="all"), t)[1])(role(w)))
def _(w, c, t): c("iam").delete_role(RoleName=t["role"])

@path("iam:AddRoleToInstanceProfile passes a role", [("iam:AddRoleToInstanceProfile", "profile_arn"), ("iam:PassRole", "arn")], profile)
def _(w, c, t): c("iam").add_role_to_instance_profile(InstanceProfileName=t["profile"], RoleName=t["role"])

@path("iam:RemoveRoleFromInstanceProfile makes room", [("iam:RemoveRoleFromInstanceProfile", "profile_arn")], full_profile)
def _(w, c, t): c("iam").remove_role_from_instance_profile(InstanceProfileName=t["profile"], RoleName=t["role"])

@path("iam:CreateServiceLinkedRole", [("iam:CreateServiceLinkedRole", "*")])
def _(w, c, t): c("iam").create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")

@path("iam:CreateOpenIDConnectProvider lets strangers in", [("iam:CreateOpenIDConnectProvider", "*")], lambda w: {"url": f"https://{name('oidc')}.example.com"})
def _(w, c, t): c("iam").create_open_id_connect_provider(Url=t["url"], ClientIDList=["a"], ThumbprintList=["0" * 40])

@path("iam:CreateVirtualMFADevice", [("iam:CreateVirtualMFADevice", "*")], lambda w: {"name": name("mfa")})
def _(w, c, t): c("iam").create_virtual_mfa_device(VirtualMFADeviceName=t["name"])

@path("iam:UploadSSHPublicKey", [("iam:UploadSSHPublicKey", "arn")], victim)
def _(w, c, t): c("iam").upload_ssh_public_key(UserName=t["user"], SSHPublicKeyBody=ssh_public_key())

@path("sts:AssumeRole", [("sts:AssumeRole", "arn")], assumable, session=False)
def _(w, c, t): c("sts").assume_role(RoleArn=t["arn"], RoleSessionName="attack")

@path("sts:AssumeRole as a session of another role", [("sts:AssumeRole", "arn")], assumable)
def _(w, c, t): c("sts").assume_role(RoleArn=t["arn"], RoleSessionName="attack")

@path("sts:TagSession with a role's rights by tag", [("sts:AssumeRole", "arn"), ("sts:TagSession", "arn")],
      lambda w: (lambda t: (w.admin["iam"].update_assume_role_policy(RoleName=t["role"], PolicyDocument=trust({"AWS": f"arn:aws:iam::{w.account}:root"}, ["sts:AssumeRole", "sts:TagSession"])), t)[1])(role(w)))
def _(w, c, t): c("sts").assume_role(RoleArn=t["arn"], RoleSessionName="attack", Tags=[{"Key": "access", "Value": "admin"}])

@path("sts:SetSourceIdentity as somebody else", [("sts:AssumeRole", "arn"), ("sts:SetSourceIdentity", "arn")],
      lambda w: (lambda t: (w.admin["iam"].update_assume_role_policy(RoleName=t["role"], PolicyDocument=trust({"AWS": f"arn:aws:iam::{w.account}:root"}, ["sts:AssumeRole", "sts:SetSourceIdentity"])), t)[1])(role(w)))
def _(w, c, t): c("sts").assume_role(RoleArn=t["arn"], RoleSessionName="attack", SourceIdentity="boss")

# ----------------------------------------------------------------------------------------------------------------------------- EC2
def image(w):
    return w.admin["ec2"].describe_images(Owners=["self", "amazon"])["Images"][0]["ImageId"]

def launchable(w):
    return dict(full_profile(w), image=image(w))

LAUNCH = [("ec2:RunInstances", "*"), ("iam:PassRole", "arn")]

@path("iam:PassRole with ec2:RunInstances, by the profile's name", LAUNCH, launchable)
def _(w, c, t): c("ec2").run_instances(ImageId=t["image"], MinCount=1, MaxCount=1, InstanceType="t3.micro", IamInstanceProfile={"Name": t["profile"]}, DryRun=True)

@path("iam:PassRole with ec2:RunInstances, by the profile's ARN", LAUNCH, launchable)
def _(w, c, t): c("ec2").run_instances(ImageId=t["image"], MinCount=1, MaxCount=1, InstanceType="t3.micro", IamInstanceProfile={"Arn": t["profile_arn"]}, DryRun=True)

@path("iam:PassRole through a launch template that names the profile", LAUNCH,
      lambda w: (lambda t: dict(t, template=w.admin["ec2"].create_launch_template(LaunchTemplateName=name("lt"), LaunchTemplateData={"ImageId": t["image"], "InstanceType": "t3.micro", "IamInstanceProfile": {"Name": t["profile"]}})["LaunchTemplate"]["LaunchTemplateId"]))(launchable(w)))
def _(w, c, t): c("ec2").run_instances(LaunchTemplate={"LaunchTemplateId": t["template"]}, MinCount=1, MaxCount=1, DryRun=True)

@path("ec2:CreateLaunchTemplateVersion, for whoever launches it next", [("ec2:CreateLaunchTemplateVersion", "template_arn")], template)
def _(w, c, t): c("ec2").create_launch_template_version(LaunchTemplateId=t["template"], LaunchTemplateData={"UserData": "IyEvYmluL3No"})

@path("ec2:ModifyLaunchTemplate makes another version the default", [("ec2:ModifyLaunchTemplate", "template_arn")], template)
def _(w, c, t): c("ec2").modify_launch_template(LaunchTemplateId=t["template"], DefaultVersion="1")

@path("ec2:CreateLaunchTemplate", [("ec2:CreateLaunchTemplate", "*")])
def _(w, c, t): c("ec2").create_launch_template(LaunchTemplateName=name("lt"), LaunchTemplateData={"InstanceType": "t3.micro"})

@path("ec2:ImportKeyPair", [("ec2:ImportKeyPair", "*")])
def _(w, c, t): c("ec2").import_key_pair(KeyName=name("kp"), PublicKeyMaterial=b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEaQde8iCKizUOiXlowY1iEL1yCufgjb3aiatGQNPcHb a@b")

@path("ec2:CreateKeyPair", [("ec2:CreateKeyPair", "*")])
def _(w, c, t): c("ec2").create_key_pair(KeyName=name("kp"))

@path("ec2:CreateTags satisfies a condition on tags", [("ec2:CreateTags", "arn")], security_group)
def _(w, c, t): c("ec2").create_tags(Resources=[t["id"]], Tags=[{"Key": "access", "Value": "admin"}])

@path("ec2:DeleteTags removes what a denial looks for", [("ec2:DeleteTags", "arn")], security_group)
def _(w, c, t): c("ec2").delete_tags(Resources=[t["id"]], Tags=[{"Key": "held"}])

@path("ec2:AuthorizeSecurityGroupIngress opens a way in", [("ec2:AuthorizeSecurityGroupIngress", "*")], security_group)
def _(w, c, t): c("ec2").authorize_security_group_ingress(GroupId=t["id"], IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")

@path("ec2:AuthorizeSecurityGroupEgress opens a way out", [("ec2:AuthorizeSecurityGroupEgress", "*")], security_group)
def _(w, c, t): c("ec2").authorize_security_group_egress(GroupId=t["id"], IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])

@path("ec2:CreateSecurityGroup with tags needs ec2:CreateTags", [("ec2:CreateSecurityGroup", "*"), ("ec2:CreateTags", "*")])
def _(w, c, t): c("ec2").create_security_group(GroupName=name("firewall"), Description="d", TagSpecifications=[{"ResourceType": "security-group", "Tags": [{"Key": "access", "Value": "admin"}]}])

@path("ec2:DeleteVpc", [("ec2:DeleteVpc", "arn")], vpc)
def _(w, c, t): c("ec2").delete_vpc(VpcId=t["id"])

# ------------------------------------------------------------------------------------------------------------------------------ S3
@path("s3:GetObject", [("s3:GetObject", "objects")], bucket)
def _(w, c, t): c("s3").get_object(Bucket=t["bucket"], Key="key")

@path("s3:GetObjectVersion reads what was overwritten", [("s3:GetObjectVersion", "objects")], bucket)
def _(w, c, t): c("s3").get_object(Bucket=t["bucket"], Key="key", VersionId=t["version"])

@path("s3:PutObject", [("s3:PutObject", "objects")], bucket)
def _(w, c, t): c("s3").put_object(Bucket=t["bucket"], Key="other", Body=b"x")

@path("a copy reads its source", [("s3:GetObject", "objects"), ("s3:PutObject", "into")], bucket)
def _(w, c, t): c("s3").copy_object(Bucket=t["own"], Key="stolen", CopySource={"Bucket": t["bucket"], "Key": "key"})

@path("a copy of an older version reads that", [("s3:GetObjectVersion", "objects"), ("s3:PutObject", "into")], bucket)
def _(w, c, t): c("s3").copy_object(Bucket=t["own"], Key="stolen", CopySource={"Bucket": t["bucket"], "Key": "key", "VersionId": t["version"]})

@path("a part that is copied reads its source", [("s3:GetObject", "objects"), ("s3:PutObject", "into")],
      lambda w: (lambda t: dict(t, upload=w.admin["s3"].create_multipart_upload(Bucket=t["own"], Key="k")["UploadId"]))(bucket(w)))
def _(w, c, t): c("s3").upload_part_copy(Bucket=t["own"], Key="k", UploadId=t["upload"], PartNumber=1, CopySource={"Bucket": t["bucket"], "Key": "key"})

@path("s3:PutBucketPolicy lets everybody in", [("s3:PutBucketPolicy", "arn")], bucket)
def _(w, c, t): c("s3").put_bucket_policy(Bucket=t["bucket"], Policy=document(dict(allow("s3:GetObject", t["objects"]), Principal={"AWS": w.arn("user", w.user)})))

@path("s3:DeleteBucketPolicy takes a denial off", [("s3:DeleteBucketPolicy", "arn")], policed_bucket)
def _(w, c, t): c("s3").delete_bucket_policy(Bucket=t["bucket"])

@path("s3:PutBucketPublicAccessBlock opens a bucket", [("s3:PutBucketPublicAccessBlock", "arn")], bucket)
def _(w, c, t): c("s3").delete_public_access_block(Bucket=t["bucket"])

@path("s3:PutBucketVersioning stops keeping versions", [("s3:PutBucketVersioning", "arn")], bucket)
def _(w, c, t): c("s3").put_bucket_versioning(Bucket=t["bucket"], VersioningConfiguration={"Status": "Suspended"})

@path("s3:PutObjectTagging satisfies a condition on tags", [("s3:PutObjectTagging", "objects")], bucket)
def _(w, c, t): c("s3").put_object_tagging(Bucket=t["bucket"], Key="key", Tagging={"TagSet": [{"Key": "access", "Value": "all"}]})

@path("an upload with tags needs s3:PutObjectTagging", [("s3:PutObject", "objects"), ("s3:PutObjectTagging", "objects")], bucket)
def _(w, c, t): c("s3").put_object(Bucket=t["bucket"], Key="other", Body=b"x", Tagging="access=all")

@path("s3:PutLifecycleConfiguration deletes without s3:DeleteObject", [("s3:PutLifecycleConfiguration", "arn")], bucket)
def _(w, c, t): c("s3").put_bucket_lifecycle_configuration(Bucket=t["bucket"], LifecycleConfiguration={"Rules": [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]})

@path("s3:DeleteObjectVersion deletes for good", [("s3:DeleteObjectVersion", "objects")], bucket)
def _(w, c, t): c("s3").delete_object(Bucket=t["bucket"], Key="key", VersionId=t["version"])

@path("s3:DeleteObject", [("s3:DeleteObject", "objects")], bucket)
def _(w, c, t): c("s3").delete_object(Bucket=t["bucket"], Key="key")

@path("s3:ListBucketVersions", [("s3:ListBucketVersions", "arn")], bucket)
def _(w, c, t): c("s3").list_object_versions(Bucket=t["bucket"])

@path("s3:PutEncryptionConfiguration", [("s3:PutEncryptionConfiguration", "arn")], bucket)
def _(w, c, t): c("s3").put_bucket_encryption(Bucket=t["bucket"], ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]})

# ------------------------------------------------------------------------------------------------------------------- Organizations
ORG = {}


def unit(w):
    made = w.admin["organizations"].create_organizational_unit(ParentId=ORG["root"], Name=name("unit"))["OrganizationalUnit"]
    return {"id": made["Id"], "arn": made["Arn"]}


def guard_rail(w):
    t, org = unit(w), w.admin["organizations"]
    made = org.create_policy(Type="SERVICE_CONTROL_POLICY", Name=name("scp"), Description="d", Content=document(deny("s3:DeleteBucket")))["Policy"]["PolicySummary"]
    return dict(t, policy=made["Id"], policy_arn=made["Arn"])


def hung(w):
    t = guard_rail(w)
    w.admin["organizations"].attach_policy(PolicyId=t["policy"], TargetId=t["id"])
    return t


def account(w):
    org = w.admin["organizations"]
    made = org.create_account(Email=f"{name('a')}@example.com", AccountName="a")["CreateAccountStatus"]["Id"]
    number = org.describe_create_account_status(CreateAccountRequestId=made)["CreateAccountStatus"]["AccountId"]
    t = unit(w)
    return dict(t, account=number, account_arn=f"arn:aws:organizations::{w.account}:account/{ORG['id']}/{number}")


@path("organizations:DetachPolicy takes a control policy off", [("organizations:DetachPolicy", "policy_arn"), ("organizations:DetachPolicy", "arn")], hung, member=False)
def _(w, c, t): c("organizations").detach_policy(PolicyId=t["policy"], TargetId=t["id"])

@path("organizations:AttachPolicy", [("organizations:AttachPolicy", "policy_arn"), ("organizations:AttachPolicy", "arn")], guard_rail, member=False)
def _(w, c, t): c("organizations").attach_policy(PolicyId=t["policy"], TargetId=t["id"])

@path("organizations:UpdatePolicy empties a control policy", [("organizations:UpdatePolicy", "policy_arn")], hung, member=False)
def _(w, c, t): c("organizations").update_policy(PolicyId=t["policy"], Content=document(deny("none:None")))

@path("organizations:DeletePolicy", [("organizations:DeletePolicy", "policy_arn")], guard_rail, member=False)
def _(w, c, t): c("organizations").delete_policy(PolicyId=t["policy"])

@path("organizations:CreatePolicy", [("organizations:CreatePolicy", "*")], member=False)
def _(w, c, t): c("organizations").create_policy(Type="SERVICE_CONTROL_POLICY", Name=name("scp"), Description="d", Content=document(allow("*")))

@path("organizations:MoveAccount out from under a policy", [("organizations:MoveAccount", "*")], account, member=False)
def _(w, c, t): c("organizations").move_account(AccountId=t["account"], SourceParentId=ORG["root"], DestinationParentId=t["id"])

@path("organizations:RemoveAccountFromOrganization", [("organizations:RemoveAccountFromOrganization", "account_arn")], account, member=False)
def _(w, c, t): c("organizations").remove_account_from_organization(AccountId=t["account"])

@path("organizations:CloseAccount", [("organizations:CloseAccount", "account_arn")], account, member=False)
def _(w, c, t): c("organizations").close_account(AccountId=t["account"])

@path("organizations:CreateAccount makes an account one may everything in", [("organizations:CreateAccount", "*")], member=False)
def _(w, c, t): c("organizations").create_account(Email=f"{name('a')}@example.com", AccountName="a")

@path("organizations:EnableAWSServiceAccess", [("organizations:EnableAWSServiceAccess", "*")], member=False)
def _(w, c, t): c("organizations").enable_aws_service_access(ServicePrincipal="ram.amazonaws.com")

@path("organizations:RegisterDelegatedAdministrator", [("organizations:RegisterDelegatedAdministrator", "account_arn")],
      lambda w: (w.admin["organizations"].enable_aws_service_access(ServicePrincipal="guardduty.amazonaws.com"), account(w))[1], member=False)
def _(w, c, t): c("organizations").register_delegated_administrator(AccountId=t["account"], ServicePrincipal="guardduty.amazonaws.com")

@path("organizations:PutResourcePolicy lets members manage", [("organizations:PutResourcePolicy", "*")], member=False)
def _(w, c, t): c("organizations").put_resource_policy(Content=document(dict(allow("organizations:ListRoots"), Principal={"AWS": f"arn:aws:iam::{w.account}:root"})))

@path("organizations:TagResource satisfies a condition on tags", [("organizations:TagResource", "arn")], unit, member=False)
def _(w, c, t): c("organizations").tag_resource(ResourceId=t["id"], Tags=[{"Key": "a", "Value": "b"}])

@path("organizations:DeleteOrganizationalUnit", [("organizations:DeleteOrganizationalUnit", "arn")], unit, member=False)
def _(w, c, t): c("organizations").delete_organizational_unit(OrganizationalUnitId=t["id"])

@path("iam:EnableOrganizationsRootSessions", [("iam:EnableOrganizationsRootSessions", "*")],
      lambda w: w.admin["organizations"].enable_aws_service_access(ServicePrincipal="iam.amazonaws.com"), member=False)
def _(w, c, t): c("iam").enable_organizations_root_sessions()


# --------------------------------------------------------------------------------------------------------------------- the product
def elsewhere(arn):
    head, _, last = arn.rpartition("/") if "/" in arn else arn.rpartition(":")
    joint = "/" if "/" in arn else ":"
    return f"{head}{joint}{last[:-1]}zz" if not arn.endswith("/*") else f"{arn[:-2]}zz/*"


def try_path(home, member, p):
    """Every barrier first: what was refused has changed nothing. Then the control, once."""
    for w in (home, member):
        if w is member and not p.member:
            continue
        target = p.setup(w)
        resolve = lambda r: target[r] if r in target else r
        takes = [(a, resolve(r)) for a, r in p.takes]
        grants = [allow(a, r) for a, r in takes]
        refusals = []

        def tried(barrier, keys=None, words=""):
            code, message = code_of(lambda: p.attempt(w, lambda s: w.call(s, keys), target))
            refusals.append((f"{p.title}: {barrier}", code in DENIED and words in message, f"{code} {message}"))

        actions = sorted({a for a, _ in takes})
        if w is home:
            w.may(); tried("absent")
            if len(takes) > 1:
                for lacking in takes:
                    w.may(*[allow(a, r) for a, r in takes if (a, r) != lacking]); tried(f"without {lacking[0]} on {lacking[1].split(':')[5] if ':' in lacking[1] else lacking[1]}")
            if any(r != "*" for _, r in takes):
                w.may(*[allow(a, elsewhere(r) if r != "*" else r) for a, r in takes]); tried("elsewhere")
            for a in actions:
                w.may(allow("*"), deny(a)); tried(f"{a} denied", words="with an explicit deny in an identity-based policy" if not a.startswith("s3:") else "")
            w.may(allow("*")); w.bounded({"Effect": "Allow", "NotAction": actions, "Resource": "*"}); tried("boundary"); w.unbounded()
            if p.session:
                tried("session", keys=w.session({"Effect": "Allow", "NotAction": actions, "Resource": "*"}))
        else:
            w.may(*grants); ORG["scp"](actions[-1])
            tried("scp", words="service control policy"); ORG["unscp"]()
        w.may(*grants)
        control = lambda: code_of(lambda: p.attempt(w, lambda s: w.call(s), target))
        code, message = control()
        if code in DENIED:
            # What is not built is asked about everything; only who may everything is told so.
            w.may(allow("*")); name_of_it = control()
            code, message = name_of_it if name_of_it[0] in NOT_BUILT else (code, message)
        for case, refused, what in refusals:
            if code in NOT_BUILT:
                report("skipped", case, message)
            elif not refused:
                report("failed", case, f"not refused: {what}")
            elif code is not None:
                report("failed", case, f"the control: {code} {message}")
            else:
                report("passed", case)


# --------------------------------------------------------------------------------------------------------------------- the singles
SINGLES = []


def single(title):
    """`f(home, member)` gives the attempt that must be refused, and the control that must succeed; run in that order. Between the
    two it may `yield` to change what the control needs."""
    def register(f):
        SINGLES.append((title, f))
        return f
    return register


def cross(home, member, condition=None, principal=None):
    """A role in the member account for the home account."""
    r = name("partner"); iam = member.admin["iam"]
    more = {"Condition": condition} if condition else {}
    iam.create_role(RoleName=r, AssumeRolePolicyDocument=trust(principal or {"AWS": f"arn:aws:iam::{home.account}:root"}, **more))
    iam.put_role_policy(RoleName=r, PolicyName="p", PolicyDocument=document(allow("s3:*")))
    return member.arn("role", r)


def assume(w, arn, **more):
    return lambda: w.call("sts").assume_role(RoleArn=arn, RoleSessionName="attack", **more)


@single("a role of another account, without sts:AssumeRole at home")
def _(home, member):
    arn = cross(home, member); home.may()
    yield assume(home, arn)
    home.may(allow("sts:AssumeRole", arn))
    yield assume(home, arn)

@single("a role of another account that does not trust this one")
def _(home, member):
    arn = cross(home, member, principal={"AWS": f"arn:aws:iam::{member.account}:root"}); home.may(allow("*"))
    yield assume(home, arn)
    yield assume(home, cross(home, member))

@single("a role that wants an external id, without one")
def _(home, member):
    arn = cross(home, member, {"StringEquals": {"sts:ExternalId": "id-1"}}); home.may(allow("*"))
    yield assume(home, arn)
    yield assume(home, arn, ExternalId="id-1")

@single("a role that wants an external id, with another one")
def _(home, member):
    arn = cross(home, member, {"StringEquals": {"sts:ExternalId": "id-1"}}); home.may(allow("*"))
    yield assume(home, arn, ExternalId="ID-1")
    yield assume(home, arn, ExternalId="id-1")

@single("an external id that is a pattern matches nothing but itself")
def _(home, member):
    arn = cross(home, member, {"StringEquals": {"sts:ExternalId": "id-1"}}); home.may(allow("*"))
    yield assume(home, arn, ExternalId="id:*".replace("*", "="))
    yield assume(home, arn, ExternalId="id-1")

@single("a role for one organization, from outside it")
def _(home, member):
    arn = cross(home, member, {"StringEquals": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}}, {"AWS": "*"}); home.may(allow("*"))
    yield assume(home, arn)
    yield assume(home, cross(home, member, {"StringEquals": {"aws:PrincipalOrgID": ORG["id"]}}, {"AWS": "*"}))

@single("a role for sessions with MFA, without")
def _(home, member):
    arn = cross(home, member, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}); home.may(allow("*"))
    yield assume(home, arn)
    yield assume(home, cross(home, member))

@single("a role for one user, as another one")
def _(home, member):
    other = victim(home)["arn"]; home.may(allow("*"))
    yield assume(home, cross(home, member, principal={"AWS": other}))
    yield assume(home, cross(home, member, principal={"AWS": home.arn("user", home.user)}))

@single("a role for a user who was deleted and made again by the same name")
def _(home, member):
    iam, u = home.admin["iam"], name("reborn")
    def keys():
        iam.create_user(UserName=u); iam.put_user_policy(UserName=u, PolicyName="p", PolicyDocument=document(allow("sts:AssumeRole")))
        k = iam.create_access_key(UserName=u)["AccessKey"]; return k
    first = keys(); arn = cross(home, member, principal={"AWS": home.arn("user", u)})
    ok = client("sts", {"AccessKeyId": first["AccessKeyId"], "SecretAccessKey": first["SecretAccessKey"]})
    ok.assume_role(RoleArn=arn, RoleSessionName="attack")
    iam.delete_access_key(UserName=u, AccessKeyId=first["AccessKeyId"]); iam.delete_user_policy(UserName=u, PolicyName="p"); iam.delete_user(UserName=u)
    second = keys(); again = client("sts", {"AccessKeyId": second["AccessKeyId"], "SecretAccessKey": second["SecretAccessKey"]})
    yield lambda: again.assume_role(RoleArn=arn, RoleSessionName="attack")
    role_name = arn.rsplit("/", 1)[1]
    member.admin["iam"].update_assume_role_policy(RoleName=role_name, PolicyDocument=trust({"AWS": home.arn("user", u)}))
    yield lambda: again.assume_role(RoleArn=arn, RoleSessionName="attack")

@single("the session of a role that was deleted and made again")
def _(home, member):
    t = assumable(home); keys = home.session(role=t["role"])
    iam = home.admin["iam"]; iam.delete_role_policy(RoleName=t["role"], PolicyName="all"); iam.delete_role(RoleName=t["role"])
    iam.create_role(RoleName=t["role"], AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{home.account}:root"}))
    iam.put_role_policy(RoleName=t["role"], PolicyName="all", PolicyDocument=document(allow("*")))
    yield lambda: client("iam", keys).list_users(), {"InvalidClientTokenId"}
    new = home.session(role=t["role"])
    yield lambda: client("iam", new).list_users()

@single("a path in front of a role's name is not the role")
def _(home, member):
    home.may(allow("*")); t = assumable(home)
    yield assume(home, t["arn"].replace(":role/", ":role/x/"))
    yield assume(home, t["arn"])

@single("a bucket of another account, by one's own policy alone")
def _(home, member):
    t = bucket(member); home.may(allow("s3:*"))
    yield lambda: home.call("s3").get_object(Bucket=t["bucket"], Key="key")
    member.admin["s3"].put_bucket_policy(Bucket=t["bucket"], Policy=document(dict(allow("s3:GetObject", t["objects"]), Principal={"AWS": home.arn("user", home.user)})))
    yield lambda: home.call("s3").get_object(Bucket=t["bucket"], Key="key")

@single("a bucket of another account, by its policy alone")
def _(home, member):
    t = bucket(member); home.may()
    member.admin["s3"].put_bucket_policy(Bucket=t["bucket"], Policy=document(dict(allow("s3:GetObject", t["objects"]), Principal={"AWS": home.arn("user", home.user)})))
    yield lambda: home.call("s3").get_object(Bucket=t["bucket"], Key="key")
    home.may(allow("s3:GetObject", t["objects"]))
    yield lambda: home.call("s3").get_object(Bucket=t["bucket"], Key="key")

@single("a boundary is not passed by another account's bucket policy")
def _(home, member):
    t = bucket(member); home.may(allow("*")); home.bounded({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"})
    member.admin["s3"].put_bucket_policy(Bucket=t["bucket"], Policy=document(dict(allow("s3:GetObject", t["objects"]), Principal={"AWS": home.arn("user", home.user)})))
    yield lambda: home.call("s3").get_object(Bucket=t["bucket"], Key="key")
    home.unbounded()
    yield lambda: home.call("s3").get_object(Bucket=t["bucket"], Key="key")

@single("expected bucket owner is another one")
def _(home, member):
    t = bucket(home); home.may(allow("s3:*"))
    yield lambda: home.call("s3").get_object(Bucket=t["bucket"], Key="key", ExpectedBucketOwner=member.account)
    yield lambda: home.call("s3").get_object(Bucket=t["bucket"], Key="key", ExpectedBucketOwner=home.account)

@single("a bucket for one organization, from an account of another")
def _(home, member):
    t = bucket(member); home.may(allow("s3:*")); s3 = member.admin["s3"]
    public = lambda o: document(dict(allow("s3:GetObject", t["objects"]), Principal={"AWS": f"arn:aws:iam::{home.account}:root"}, Condition={"StringEquals": {"aws:PrincipalOrgID": o}}))
    s3.put_bucket_policy(Bucket=t["bucket"], Policy=public("o-aaaaaaaaaa"))
    yield lambda: home.call("s3").get_object(Bucket=t["bucket"], Key="key")
    s3.put_bucket_policy(Bucket=t["bucket"], Policy=public(ORG["id"]))
    yield lambda: home.call("s3").get_object(Bucket=t["bucket"], Key="key")

@single("PassRole on a role of another account")
def _(home, member):
    t, foreign = profile(home), role(member); home.may(allow("*"))
    yield lambda: home.call("iam").add_role_to_instance_profile(InstanceProfileName=t["profile"], RoleName=foreign["role"]), DENIED | {"NoSuchEntity", "ValidationError"}
    yield lambda: home.call("iam").add_role_to_instance_profile(InstanceProfileName=t["profile"], RoleName=t["role"])

@single("PassRole to another service than it was allowed for")
def _(home, member):
    t = launchable(home)
    grant = lambda s: [allow("ec2:*"), allow("iam:PassRole", t["arn"], Condition={"StringEquals": {"iam:PassedToService": s}})]
    run = lambda: home.call("ec2").run_instances(ImageId=t["image"], MinCount=1, MaxCount=1, InstanceType="t3.micro", IamInstanceProfile={"Name": t["profile"]}, DryRun=True)
    home.may(*grant("lambda.amazonaws.com"))
    yield run
    home.may(*grant("ec2.amazonaws.com"))
    yield run

@single("a role whose path begins like a service-linked role's")
def _(home, member):
    home.may(allow("*")); n = name("AWSServiceRoleForX")
    yield lambda: home.call("iam").create_role(RoleName=n, Path="/aws-service-role/x.amazonaws.com/", AssumeRolePolicyDocument=trust({"AWS": home.account})), DENIED | {"InvalidInput"}
    yield lambda: home.call("iam").create_role(RoleName=n, Path="/x/", AssumeRolePolicyDocument=trust({"AWS": home.account}))

@single("a reserved path (/aws-reserved/)")
def _(home, member):
    home.may(allow("*")); n = name("x")
    yield lambda: home.call("iam").create_role(RoleName=n, Path="/aws-reserved/sso.amazonaws.com/", AssumeRolePolicyDocument=trust({"AWS": home.account})), DENIED | {"InvalidInput"}
    yield lambda: home.call("iam").create_role(RoleName=n, AssumeRolePolicyDocument=trust({"AWS": home.account}))

@single("a service-linked role's policies changed")
def _(home, member):
    home.may(allow("*"))
    r = "AWSServiceRoleForOrganizations"
    yield lambda: home.call("iam").put_role_policy(RoleName=r, PolicyName="x", PolicyDocument=document(allow("*"))), DENIED | {"UnmodifiableEntity"}
    t = role(home)
    yield lambda: home.call("iam").put_role_policy(RoleName=t["role"], PolicyName="x", PolicyDocument=document(allow("*")))

@single("a service-linked role's trust changed")
def _(home, member):
    home.may(allow("*"))
    yield lambda: home.call("iam").update_assume_role_policy(RoleName="AWSServiceRoleForOrganizations", PolicyDocument=trust({"AWS": home.arn("user", home.user)})), DENIED | {"UnmodifiableEntity"}
    t = role(home)
    yield lambda: home.call("iam").update_assume_role_policy(RoleName=t["role"], PolicyDocument=trust({"AWS": home.arn("user", home.user)}))

@single("AWS's own policies changed")
def _(home, member):
    home.may(allow("*")); t = policy(home)
    yield lambda: home.call("iam").create_policy_version(PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess", PolicyDocument=document(allow("*")), SetAsDefault=True)
    yield lambda: home.call("iam").create_policy_version(PolicyArn=t["arn"], PolicyDocument=document(allow("*")), SetAsDefault=True)

@single("another account's customer managed policy attached")
def _(home, member):
    t, own, u = policy(member), policy(home), victim(home)["user"]; home.may(allow("*"))
    yield lambda: home.call("iam").attach_user_policy(UserName=u, PolicyArn=t["arn"]), DENIED | {"NoSuchEntity", "InvalidInput", "ValidationError"}
    yield lambda: home.call("iam").attach_user_policy(UserName=u, PolicyArn=own["arn"])

@single("a session policy cannot give what the role has not")
def _(home, member):
    t = assumable(home); iam = home.admin["iam"]; iam.put_role_policy(RoleName=t["role"], PolicyName="all", PolicyDocument=document(allow("s3:*")))
    keys = home.session(allow("*"), role=t["role"])
    yield lambda: client("iam", keys).list_users()
    yield lambda: client("s3", keys).list_buckets()

@single("a managed session policy that is AdministratorAccess cannot either")
def _(home, member):
    t = assumable(home); home.admin["iam"].put_role_policy(RoleName=t["role"], PolicyName="all", PolicyDocument=document(allow("s3:*")))
    keys = home.session(role=t["role"], PolicyArns=[{"arn": "arn:aws:iam::aws:policy/AdministratorAccess"}])
    yield lambda: client("iam", keys).list_users()
    yield lambda: client("s3", keys).list_buckets()

@single("a session policy holds for the sessions that its session makes")
def _(home, member):
    t = assumable(home); keys = home.session({"Effect": "Allow", "NotAction": "sts:AssumeRole", "Resource": "*"})
    yield lambda: client("sts", keys).assume_role(RoleArn=t["arn"], RoleSessionName="attack")
    free = home.session()
    yield lambda: client("sts", free).assume_role(RoleArn=t["arn"], RoleSessionName="attack")

@single("a session token changed by one letter")
def _(home, member):
    keys = home.session(); token = keys["SessionToken"]; other = "A" if token[40] != "A" else "B"
    yield lambda: client("iam", dict(keys, SessionToken=token[:40] + other + token[41:])).list_users(), {"InvalidClientTokenId"}
    yield lambda: client("iam", keys).list_users()

@single("a session token with another session's key")
def _(home, member):
    one, two = home.session(), home.session()
    yield lambda: client("iam", dict(one, SessionToken=two["SessionToken"])).list_users(), {"InvalidClientTokenId"}
    yield lambda: client("iam", one).list_users()

@single("a session token left off")
def _(home, member):
    keys = home.session()
    yield lambda: client("iam", {k: keys[k] for k in ("AccessKeyId", "SecretAccessKey")}).list_users(), {"InvalidClientTokenId"}
    yield lambda: client("iam", keys).list_users()

@single("GetSessionToken's credentials at IAM, without MFA")
def _(home, member):
    home.may(allow("*")); keys = home.call("sts").get_session_token()["Credentials"]
    yield lambda: client("iam", keys).list_users()
    yield lambda: client("s3", keys).list_buckets()

@single("GetSessionToken's credentials at STS for more of them")
def _(home, member):
    home.may(allow("*")); keys = home.call("sts").get_session_token()["Credentials"]
    yield lambda: client("sts", keys).get_session_token()
    yield lambda: client("sts", keys).get_caller_identity()

@single("a user named * is no wildcard in ${aws:username}")
def _(home, member):
    t = bucket(home); home.may(allow("s3:GetObject", f"arn:aws:s3:::{t['bucket']}/${{aws:username}}/*"))
    home.admin["s3"].put_object(Bucket=t["bucket"], Key=f"{home.user}/x", Body=b"x"); home.admin["s3"].put_object(Bucket=t["bucket"], Key="boss/x", Body=b"x")
    yield lambda: home.call("s3").get_object(Bucket=t["bucket"], Key="boss/x")
    yield lambda: home.call("s3").get_object(Bucket=t["bucket"], Key=f"{home.user}/x")

@single("a tag of the session stands over the role's own, but cannot be set without leave")
def _(home, member):
    t = assumable(home); iam = home.admin["iam"]
    iam.put_role_policy(RoleName=t["role"], PolicyName="all", PolicyDocument=document(allow("s3:ListAllMyBuckets", Condition={"StringEquals": {"aws:PrincipalTag/access": "admin"}})))
    keys = home.session(role=t["role"])
    yield lambda: client("s3", keys).list_buckets()
    iam.tag_role(RoleName=t["role"], Tags=[{"Key": "access", "Value": "admin"}])
    yield lambda: client("s3", keys).list_buckets()

@single("a boundary that was deleted allows nothing, rather than everything")
def _(home, member):
    iam = home.admin["iam"]; t = policy(home); arn = t["arn"]; home.may(allow("*"))
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v3")
    iam.put_user_permissions_boundary(UserName=home.user, PermissionsBoundary=arn)
    yield lambda: home.call("s3").list_buckets()
    home.unbounded()
    yield lambda: home.call("s3").list_buckets()

@single("a user may not take its own boundary off by making it wider")
def _(home, member):
    iam, t = home.admin["iam"], policy(home); arn = t["arn"]
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("s3:*")), SetAsDefault=True)
    home.may(allow("*")); iam.put_user_permissions_boundary(UserName=home.user, PermissionsBoundary=arn)
    widen = lambda: home.call("iam").create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("*")), SetAsDefault=True)
    yield widen
    home.unbounded()
    yield widen

@single("a condition on the boundary of what is created: without one")
def _(home, member):
    t = policy(home); n = name("bounded")
    home.may(allow("iam:CreateRole", Condition={"StringEquals": {"iam:PermissionsBoundary": t["arn"]}}))
    yield lambda: home.call("iam").create_role(RoleName=n, AssumeRolePolicyDocument=trust({"AWS": home.account}))
    yield lambda: home.call("iam").create_role(RoleName=n, AssumeRolePolicyDocument=trust({"AWS": home.account}), PermissionsBoundary=t["arn"])

@single("a condition on which policy is attached: another one")
def _(home, member):
    t = role(home); home.may(allow("iam:AttachRolePolicy", Condition={"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}}))
    yield lambda: home.call("iam").attach_role_policy(RoleName=t["role"], PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    yield lambda: home.call("iam").attach_role_policy(RoleName=t["role"], PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")

@single("a presigned URL after its signer's right was taken away")
def _(home, member):
    t = bucket(home); home.may(allow("s3:GetObject", t["objects"]))
    url = home.call("s3").generate_presigned_url("get_object", Params={"Bucket": t["bucket"], "Key": "key"})
    def read():
        try: urllib.request.urlopen(url).read()
        except urllib.error.HTTPError as e: raise ClientError({"Error": {"Code": str(e.code), "Message": ""}}, "GetObject")
    home.may()
    yield read
    home.may(allow("s3:GetObject", t["objects"]))
    yield read

@single("a presigned URL for another key")
def _(home, member):
    t = bucket(home); home.may(allow("s3:GetObject", t["objects"])); home.admin["s3"].put_object(Bucket=t["bucket"], Key="kez", Body=b"x")
    url = home.call("s3").generate_presigned_url("get_object", Params={"Bucket": t["bucket"], "Key": "key"})
    def read(u):
        def go():
            try: urllib.request.urlopen(u).read()
            except urllib.error.HTTPError as e: raise ClientError({"Error": {"Code": str(e.code), "Message": ""}}, "GetObject")
        return go
    yield read(url.replace("/key?", "/kez?"))
    yield read(url)

@single("anonymous at a private bucket")
def _(home, member):
    t = bucket(home); s3 = boto3.client("s3", config=CONFIG.merge(Config(signature_version=UNSIGNED)))
    yield lambda: s3.get_object(Bucket=t["bucket"], Key="key")
    home.admin["s3"].delete_public_access_block(Bucket=t["bucket"])
    home.admin["s3"].put_bucket_policy(Bucket=t["bucket"], Policy=document(dict(allow("s3:GetObject", t["objects"]), Principal="*")))
    yield lambda: s3.get_object(Bucket=t["bucket"], Key="key")

@single("an inactive access key")
def _(home, member):
    iam = home.admin["iam"]; t = victim_key(home); k = iam.create_access_key(UserName=t["user"])["AccessKey"]; iam.put_user_policy(UserName=t["user"], PolicyName="p", PolicyDocument=document(allow("*")))
    keys = {"AccessKeyId": k["AccessKeyId"], "SecretAccessKey": k["SecretAccessKey"]}
    iam.update_access_key(UserName=t["user"], AccessKeyId=k["AccessKeyId"], Status="Inactive")
    yield lambda: client("iam", keys).list_users(), {"InvalidClientTokenId"}
    iam.update_access_key(UserName=t["user"], AccessKeyId=k["AccessKeyId"], Status="Active")
    yield lambda: client("iam", keys).list_users()

# --- control policies
def scp(home, member, statement):
    ORG["put"](statement)


@single("scp: a role that the member makes for itself is held too")
def _(home, member):
    scp(home, member, deny("s3:ListAllMyBuckets")); keys = member.session()
    yield lambda: client("s3", keys).list_buckets()
    ORG["unscp"]()
    yield lambda: client("s3", keys).list_buckets()

@single("scp: the management account's role in the member is held too")
def _(home, member):
    scp(home, member, deny("s3:ListAllMyBuckets"))
    yield lambda: client("s3", member.keys).list_buckets()
    ORG["unscp"]()
    yield lambda: client("s3", member.keys).list_buckets()

@single("scp: a bucket policy that names the user gives nothing that is denied")
def _(home, member):
    t = bucket(member); member.may()
    member.admin["s3"].put_bucket_policy(Bucket=t["bucket"], Policy=document(dict(allow("s3:GetObject", t["objects"]), Principal={"AWS": member.arn("user", member.user)})))
    scp(home, member, deny("s3:GetObject"))
    yield lambda: member.call("s3").get_object(Bucket=t["bucket"], Key="key")
    ORG["unscp"]()
    yield lambda: member.call("s3").get_object(Bucket=t["bucket"], Key="key")

@single("scp: a member's principal in another account's bucket")
def _(home, member):
    t = bucket(home); member.may(allow("s3:*"))
    home.admin["s3"].put_bucket_policy(Bucket=t["bucket"], Policy=document(dict(allow("s3:GetObject", t["objects"]), Principal={"AWS": member.arn("user", member.user)})))
    scp(home, member, deny("s3:GetObject"))
    yield lambda: member.call("s3").get_object(Bucket=t["bucket"], Key="key")
    ORG["unscp"]()
    yield lambda: member.call("s3").get_object(Bucket=t["bucket"], Key="key")

@single("scp: does not hold an outsider whom a bucket lets in (the control), an rcp does")
def _(home, member):
    t = bucket(member); home.may(allow("s3:*"))
    member.admin["s3"].put_bucket_policy(Bucket=t["bucket"], Policy=document(dict(allow("s3:GetObject", t["objects"]), Principal={"AWS": home.arn("user", home.user)})))
    ORG["rcp"](dict(deny("s3:GetObject"), Principal="*"))
    yield lambda: home.call("s3").get_object(Bucket=t["bucket"], Key="key")
    ORG["unrcp"](); scp(home, member, deny("s3:GetObject"))
    yield lambda: home.call("s3").get_object(Bucket=t["bucket"], Key="key")
    ORG["unscp"]()

@single("scp: the member leaves to be rid of it")
def _(home, member):
    member.may(allow("*")); scp(home, member, deny("organizations:LeaveOrganization"))
    yield lambda: member.call("organizations").leave_organization()
    ORG["unscp"]()
    yield lambda: member.call("organizations").describe_organization()

@single("scp: the member detaches it itself")
def _(home, member):
    member.may(allow("*")); scp(home, member, deny("s3:ListAllMyBuckets"))
    yield lambda: member.call("organizations").detach_policy(PolicyId=ORG["now"], TargetId=member.account)
    home.admin["organizations"].detach_policy(PolicyId=ORG["now"], TargetId=member.account); ORG["now"] = None
    yield lambda: member.call("s3").list_buckets()

@single("scp: the member turns the whole type off")
def _(home, member):
    member.may(allow("*")); home.may(allow("*"))
    yield lambda: member.call("organizations").disable_policy_type(RootId=ORG["root"], PolicyType="SERVICE_CONTROL_POLICY")
    yield lambda: home.call("organizations").list_roots()

@single("scp: an allowance elsewhere on the way is not enough")
def _(home, member):
    member.may(allow("*")); org = home.admin["organizations"]
    scp(home, member, allow("ec2:*")); org.detach_policy(PolicyId="p-FullAWSAccess", TargetId=member.account)
    try:
        yield lambda: member.call("s3").list_buckets()
    finally:
        org.attach_policy(PolicyId="p-FullAWSAccess", TargetId=member.account); ORG["unscp"]()
    yield lambda: member.call("s3").list_buckets()

@single("scp: a condition on the region")
def _(home, member):
    member.may(allow("*")); scp(home, member, deny("ec2:*", Condition={"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}))
    yield lambda: member.call("ec2").describe_vpcs()
    eu = boto3.Session(aws_access_key_id=member.attacker["AccessKeyId"], aws_secret_access_key=member.attacker["SecretAccessKey"]).client("ec2", config=CONFIG, region_name="eu-west-1")
    yield lambda: eu.describe_vpcs()
    ORG["unscp"]()

@single("rcp: holds whom a bucket policy lets in, of the same account too")
def _(home, member):
    t = bucket(member); member.may(allow("s3:*")); ORG["rcp"](dict(deny("s3:GetObject"), Principal="*"))
    yield lambda: member.call("s3").get_object(Bucket=t["bucket"], Key="key")
    ORG["unrcp"]()
    yield lambda: member.call("s3").get_object(Bucket=t["bucket"], Key="key")

@single("rcp: holds strangers without a name")
def _(home, member):
    t = bucket(member); s3 = boto3.client("s3", config=CONFIG.merge(Config(signature_version=UNSIGNED)))
    member.admin["s3"].delete_public_access_block(Bucket=t["bucket"])
    member.admin["s3"].put_bucket_policy(Bucket=t["bucket"], Policy=document(dict(allow("s3:GetObject", t["objects"]), Principal="*")))
    ORG["rcp"](dict(deny("s3:*"), Principal="*", Condition={"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORG["id"]}}))
    yield lambda: s3.get_object(Bucket=t["bucket"], Key="key")
    ORG["unrcp"]()
    yield lambda: s3.get_object(Bucket=t["bucket"], Key="key")

@single("rcp: holds sts:AssumeRole on a member's role from outside the organization")
def _(home, member):
    arn = cross(home, member); home.may(allow("*"))
    ORG["rcp"](dict(deny("sts:AssumeRole"), Principal="*", Condition={"StringNotEquals": {"aws:PrincipalAccount": member.account}}))
    yield assume(home, arn)
    ORG["unrcp"]()
    yield assume(home, arn)

@single("rcp: a policy that allows is none")
def _(home, member):
    org = home.admin["organizations"]
    make = lambda s: lambda: org.create_policy(Type="RESOURCE_CONTROL_POLICY", Name=name("rcp"), Description="d", Content=document(s))
    yield make(dict(allow("s3:*"), Principal="*")), {"MalformedPolicyDocumentException"}
    yield make(dict(deny("s3:*"), Principal="*"))

# --- root of a member account
def rooted(home):
    org, iam = home.admin["organizations"], home.admin["iam"]
    org.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com"); iam.enable_organizations_root_sessions()


def root_session(w, account, task="S3UnlockBucketPolicy"):
    return lambda: w.call("sts").assume_root(TargetPrincipal=account, TaskPolicyArn={"arn": f"arn:aws:iam::aws:policy/root-task/{task}"})


@single("root: AssumeRoot without sts:AssumeRoot")
def _(home, member):
    rooted(home); home.may()
    yield root_session(home, member.account)
    home.may(allow("sts:AssumeRoot", f"arn:aws:iam::{member.account}:root"))
    yield root_session(home, member.account)

@single("root: AssumeRoot where the organization gives no such sessions")
def _(home, member):
    rooted(home); home.may(allow("*")); home.admin["iam"].disable_organizations_root_sessions()
    yield root_session(home, member.account)
    home.admin["iam"].enable_organizations_root_sessions()
    yield root_session(home, member.account)

@single("root: AssumeRoot from a member on the management account")
def _(home, member):
    rooted(home); member.may(allow("*")); home.may(allow("*"))
    yield root_session(member, home.account)
    yield root_session(home, member.account)

@single("root: AssumeRoot of one's own account")
def _(home, member):
    rooted(home); home.may(allow("*"))
    yield root_session(home, home.account)
    yield root_session(home, member.account)

@single("root: AssumeRoot of an account outside the organization")
def _(home, member):
    rooted(home); home.may(allow("*"))
    yield root_session(home, "999999999999")
    yield root_session(home, member.account)

@single("root: AssumeRoot with a policy that is no task")
def _(home, member):
    rooted(home); home.may(allow("*"))
    yield lambda: home.call("sts").assume_root(TargetPrincipal=member.account, TaskPolicyArn={"arn": "arn:aws:iam::aws:policy/AdministratorAccess"}), {"ValidationError", "AccessDenied"}
    yield root_session(home, member.account)

@single("root: a condition on the task")
def _(home, member):
    rooted(home); home.may(allow("sts:AssumeRoot", Condition={"StringEquals": {"sts:TaskPolicyArn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}}))
    yield root_session(home, member.account)
    yield root_session(home, member.account, "IAMAuditRootUserCredentials")

@single("root: a task does its task alone")
def _(home, member):
    rooted(home); home.may(allow("*")); keys = root_session(home, member.account)()["Credentials"]
    yield lambda: client("iam", keys).list_users()
    yield lambda: client("s3", keys).list_buckets()

@single("root: the audit task changes nothing")
def _(home, member):
    rooted(home); home.may(allow("*")); keys = root_session(home, member.account, "IAMAuditRootUserCredentials")()["Credentials"]
    yield lambda: client("iam", keys).create_user(UserName=name("x"))
    yield lambda: client("iam", keys).get_user()

@single("root: a locked bucket opens for the owner's root alone")
def _(home, member):
    rooted(home); home.may(allow("*")); t = bucket(member); member.may(allow("*"))
    member.admin["s3"].put_bucket_policy(Bucket=t["bucket"], Policy=document(dict(deny("s3:*", [t["arn"], t["objects"]]), Principal="*")))
    yield lambda: member.call("s3").delete_bucket_policy(Bucket=t["bucket"])
    keys = root_session(home, member.account)()["Credentials"]
    yield lambda: client("s3", keys).delete_bucket_policy(Bucket=t["bucket"])

@single("root: another member's root does not open it")
def _(home, member):
    rooted(home); home.may(allow("*")); t = bucket(home)
    home.admin["s3"].put_bucket_policy(Bucket=t["bucket"], Policy=document(dict(deny("s3:DeleteObject", t["objects"]), Principal="*")))
    keys = root_session(home, member.account)()["Credentials"]
    yield lambda: client("s3", keys).delete_bucket_policy(Bucket=t["bucket"])
    yield lambda: home.admin["s3"].delete_bucket_policy(Bucket=t["bucket"])

@single("root: a control policy holds the root user too")
def _(home, member):
    rooted(home); home.may(allow("*")); keys = root_session(home, member.account)()["Credentials"]
    scp(home, member, deny("s3:ListAllMyBuckets"))
    yield lambda: client("s3", keys).list_buckets()
    ORG["unscp"]()
    yield lambda: client("s3", keys).list_buckets()

@single("root: sessions end when the organization gives no more of them")
def _(home, member):
    rooted(home); home.may(allow("*")); keys = root_session(home, member.account)()["Credentials"]
    home.admin["iam"].disable_organizations_root_sessions()
    yield lambda: client("s3", keys).list_buckets(), {"InvalidAccessKeyId"}
    home.admin["iam"].enable_organizations_root_sessions()
    yield lambda: client("s3", keys).list_buckets()

@single("root: a root session assumes no further one")
def _(home, member):
    rooted(home); home.may(allow("*")); keys = root_session(home, member.account)()["Credentials"]
    yield lambda: client("sts", keys).assume_root(TargetPrincipal=member.account, TaskPolicyArn={"arn": "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"})
    yield lambda: client("sts", keys).get_caller_identity()

# --- documents
DOCUMENTS = {
    "an effect in the wrong case": '{"Version":"2012-10-17","Statement":{"Effect":"allow","Action":"*","Resource":"*"}}',
    "a key that stands there twice": '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}',
    "a version that does not exist": '{"Version":"2026-01-01","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
    "an operator that does not exist": '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringIs":{"a":"b"}}}}',
    "an element that does not exist": '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Resources":"*"}}',
    "a principal in an identity policy": '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}}',
    "Action and NotAction": '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","NotAction":"iam:*","Resource":"*"}}',
    "text behind the document": '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}} {"Version":"2012-10-17"}',
    "a comment": '{"Version":"2012-10-17",/* */"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
    "no statement": '{"Version":"2012-10-17"}',
    "depth": '{"Version":"2012-10-17","Statement":' + "[" * 2000 + "]" * 2000 + "}",
    "a lone surrogate": '{"Version":"2012-10-17","Statement":{"Sid":"\\ud800","Effect":"Allow","Action":"*","Resource":"*"}}',
}


def malformed(title, text):
    @single(f"documents: {title}")
    def _(home, member):
        t = victim(home); iam = home.admin["iam"]
        yield lambda: iam.put_user_policy(UserName=t["user"], PolicyName="p", PolicyDocument=text), {"MalformedPolicyDocument"}
        yield lambda: iam.put_user_policy(UserName=t["user"], PolicyName="p", PolicyDocument=document(allow("*")))


for title, text in DOCUMENTS.items():
    malformed(title, text)


def try_single(home, member, title, f):
    case, steps = title, f(home, member)
    try:
        step = next(steps)
        attempt, codes = step if isinstance(step, tuple) else (step, DENIED)
        code, message = code_of(attempt)
        control = next(steps)
        control_code, control_message = code_of(control)
        for _ in steps:
            pass
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return report("skipped" if code in NOT_BUILT else "failed", case, f"the set-up: {error}")
    if control_code in NOT_BUILT:
        report("skipped", case, control_message)
    elif code not in codes:
        report("failed", case, f"not refused: {code} {message}")
    elif control_code is not None:
        report("failed", case, f"the control: {control_code} {control_message}")
    else:
        report("passed", case)


# ---------------------------------------------------------------------------------------------------------------------- the ground
def organize():
    """An organization of the caller's account with a member, and ways to hold that member."""
    org = client("organizations")
    try:
        ORG["id"] = org.describe_organization()["Organization"]["Id"]
    except ClientError:
        ORG["id"] = org.create_organization()["Organization"]["Id"]
    root = org.list_roots()["Roots"][0]
    ORG["root"] = root["Id"]
    enabled = {t["Type"] for t in root["PolicyTypes"]}
    for kind in {"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"} - enabled:
        org.enable_policy_type(RootId=root["Id"], PolicyType=kind)
    made = org.create_account(Email=f"{name('member')}@example.com", AccountName="member")["CreateAccountStatus"]["Id"]
    for _ in range(60):
        status = org.describe_create_account_status(CreateAccountRequestId=made)["CreateAccountStatus"]
        if status["State"] != "IN_PROGRESS":
            break
        time.sleep(1)
    member = status["AccountId"]
    ORG["now"] = ORG["limits"] = None

    def hang(slot, kind, statement):
        made = org.create_policy(Type=kind, Name=name(slot), Description="d", Content=document(statement))["Policy"]["PolicySummary"]["Id"]
        org.attach_policy(PolicyId=made, TargetId=member)
        ORG[slot] = made

    def take(slot):
        if ORG[slot]:
            org.detach_policy(PolicyId=ORG[slot], TargetId=member)
            ORG[slot] = None

    ORG["put"] = lambda statement: hang("now", "SERVICE_CONTROL_POLICY", statement)
    ORG["scp"] = lambda action: ORG["put"](deny(action))
    ORG["unscp"] = lambda: take("now")
    ORG["rcp"] = lambda statement: hang("limits", "RESOURCE_CONTROL_POLICY", statement)
    ORG["unrcp"] = lambda: take("limits")
    return member


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--only", default="")
    wanted = re.compile(options.parse_args().only).search
    member = organize()
    keys = client("sts").assume_role(RoleArn=f"arn:aws:iam::{member}:role/OrganizationAccountAccessRole", RoleSessionName="admin")["Credentials"]
    home, member = World(client("sts").get_caller_identity()["Account"]), World(member, keys)
    for p in filter(lambda p: wanted(p.title), PATHS):
        try:
            try_path(home, member, p)
        except ClientError as error:
            report("skipped" if error.response["Error"]["Code"] in NOT_BUILT else "failed", p.title, f"the set-up: {error}")
        finally:
            ORG["unscp"](); ORG["unrcp"]()
    for title, f in filter(lambda s: wanted(s[0]), SINGLES):
        try:
            try_single(home, member, title, f)
        finally:
            ORG["unscp"](); ORG["unrcp"](); code_of(home.unbounded)
    print(f"{TALLY['passed']} passed, {TALLY['failed']} failed, {TALLY['skipped']} skipped")
    return 1 if TALLY["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

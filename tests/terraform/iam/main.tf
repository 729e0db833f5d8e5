# Every aws_iam_* resource and data source of provider 5 that is about users, groups, roles, policies and credentials.
# (Identity providers and features of an organisation have configurations of their own.)

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.100" }
  }
}

provider "aws" {}

variable "suffix" { type = string }
variable "data" { type = string }
variable "changed" {
  type    = bool
  default = false
}

locals {
  tags = var.changed ? { team = "blue", stage = "two" } : { team = "red" }
}

data "aws_caller_identity" "me" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
    principals {
      type        = "AWS"
      identifiers = [aws_iam_user.main.arn]
    }
  }
}

data "aws_iam_policy_document" "read" {
  statement {
    sid       = "Read"
    actions   = var.changed ? ["s3:GetObject", "s3:ListBucket"] : ["s3:GetObject"]
    resources = ["*"]
  }
}

# --- users and what they have

resource "aws_iam_user" "main" {
  name                 = "tf-user-${var.suffix}"
  path                 = var.changed ? "/other/" : "/division/"
  permissions_boundary = aws_iam_policy.boundary.arn
  force_destroy        = false
  tags                 = local.tags
}

resource "aws_iam_user" "exclusive" {
  name = "tf-exclusive-${var.suffix}"
}

resource "aws_iam_access_key" "main" {
  user   = aws_iam_user.main.name
  status = var.changed ? "Inactive" : "Active"
}

resource "aws_iam_user_login_profile" "main" {
  user                    = aws_iam_user.main.name
  password_length         = 24
  password_reset_required = true
  depends_on              = [aws_iam_account_password_policy.main]
}

resource "aws_iam_user_ssh_key" "main" {
  username   = aws_iam_user.main.name
  encoding   = "SSH"
  public_key = file("${var.data}/public.ssh")
  status     = var.changed ? "Inactive" : "Active"
}

resource "aws_iam_signing_certificate" "main" {
  user_name        = aws_iam_user.main.name
  certificate_body = file("${var.data}/curve.pem")
  status           = var.changed ? "Inactive" : "Active"
}

resource "aws_iam_service_specific_credential" "main" {
  user_name    = aws_iam_user.main.name
  service_name = "codecommit.amazonaws.com"
  status       = var.changed ? "Inactive" : "Active"
}

resource "aws_iam_virtual_mfa_device" "main" {
  virtual_mfa_device_name = "tf-mfa-${var.suffix}"
  path                    = "/division/"
  tags                    = local.tags
}

resource "aws_iam_user_policy" "main" {
  name   = "inline"
  user   = aws_iam_user.main.name
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_iam_user_policy_attachment" "main" {
  user       = aws_iam_user.main.name
  policy_arn = aws_iam_policy.main.arn
}

resource "aws_iam_user_policy" "exclusive" {
  name   = "only"
  user   = aws_iam_user.exclusive.name
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_iam_user_policies_exclusive" "main" {
  user_name    = aws_iam_user.exclusive.name
  policy_names = [aws_iam_user_policy.exclusive.name]
}

resource "aws_iam_user_policy_attachment" "exclusive" {
  user       = aws_iam_user.exclusive.name
  policy_arn = aws_iam_policy.main.arn
}

resource "aws_iam_user_policy_attachments_exclusive" "main" {
  user_name   = aws_iam_user.exclusive.name
  policy_arns = [aws_iam_user_policy_attachment.exclusive.policy_arn]
}

# --- groups

resource "aws_iam_group" "main" {
  name = "tf-group-${var.suffix}"
  path = var.changed ? "/other/" : "/division/"
}

resource "aws_iam_group" "members" {
  name = "tf-members-${var.suffix}"
}

resource "aws_iam_user_group_membership" "main" {
  user   = aws_iam_user.main.name
  groups = [aws_iam_group.main.name]
}

resource "aws_iam_group_membership" "members" {
  name  = "members"
  group = aws_iam_group.members.name
  users = [aws_iam_user.exclusive.name]
}

resource "aws_iam_group_policy" "main" {
  name   = "inline"
  group  = aws_iam_group.main.name
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_iam_group_policies_exclusive" "main" {
  group_name   = aws_iam_group.main.name
  policy_names = [aws_iam_group_policy.main.name]
}

resource "aws_iam_group_policy_attachment" "main" {
  group      = aws_iam_group.main.name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_iam_group_policy_attachments_exclusive" "main" {
  group_name  = aws_iam_group.main.name
  policy_arns = [aws_iam_group_policy_attachment.main.policy_arn]
}

# --- policies

resource "aws_iam_policy" "main" {
  name        = "tf-policy-${var.suffix}"
  path        = "/division/"
  description = "read"
  policy      = data.aws_iam_policy_document.read.json
  tags        = local.tags
}

resource "aws_iam_policy" "boundary" {
  name   = "tf-boundary-${var.suffix}"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
}

resource "aws_iam_policy" "shared" {
  name   = "tf-shared-${var.suffix}"
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_iam_policy_attachment" "shared" {
  name       = "shared"
  policy_arn = aws_iam_policy.shared.arn
  users      = [aws_iam_user.main.name]
  groups     = [aws_iam_group.members.name]
  roles      = [aws_iam_role.main.name]
}

# --- roles

resource "aws_iam_role" "main" {
  name                  = "tf-role-${var.suffix}"
  path                  = "/division/"
  description           = var.changed ? "after" : "before"
  max_session_duration  = var.changed ? 7200 : 3600
  assume_role_policy    = data.aws_iam_policy_document.trust.json
  permissions_boundary  = var.changed ? null : aws_iam_policy.boundary.arn
  force_detach_policies = false
  tags                  = local.tags
}

resource "aws_iam_role" "exclusive" {
  name               = "tf-exclusive-${var.suffix}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "main" {
  name   = "inline"
  role   = aws_iam_role.main.name
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_iam_role_policy_attachment" "main" {
  role       = aws_iam_role.main.name
  policy_arn = aws_iam_policy.main.arn
}

resource "aws_iam_role_policies_exclusive" "main" {
  role_name    = aws_iam_role.exclusive.name
  policy_names = []
}

resource "aws_iam_role_policy_attachments_exclusive" "main" {
  role_name   = aws_iam_role.exclusive.name
  policy_arns = []
}

resource "aws_iam_service_linked_role" "main" {
  aws_service_name = "autoscaling.amazonaws.com"
  custom_suffix    = var.suffix
  description      = var.changed ? "after" : "before"
}

resource "aws_iam_instance_profile" "main" {
  name = "tf-profile-${var.suffix}"
  path = "/division/"
  role = aws_iam_role.main.name
  tags = local.tags
}

# --- the account

resource "aws_iam_account_alias" "main" {
  account_alias = "tf-alias-${var.suffix}"
}

resource "aws_iam_account_password_policy" "main" {
  minimum_password_length        = var.changed ? 14 : 12
  require_lowercase_characters   = true
  require_uppercase_characters   = true
  require_numbers                = true
  require_symbols                = true
  allow_users_to_change_password = true
  max_password_age               = 90
  password_reuse_prevention      = 5
  hard_expiry                    = var.changed
}

resource "aws_iam_security_token_service_preferences" "main" {
  global_endpoint_token_version = var.changed ? "v1Token" : "v2Token"
}

resource "aws_iam_server_certificate" "main" {
  name              = "tf-certificate-${var.suffix}"
  path              = "/division/"
  certificate_body  = file("${var.data}/server.pem")
  certificate_chain = file("${var.data}/ca.pem")
  private_key       = file("${var.data}/server.key")
  tags              = local.tags
}

# --- data sources

data "aws_iam_user" "main" { user_name = aws_iam_user.main.name }
data "aws_iam_users" "all" { depends_on = [aws_iam_user.main, aws_iam_user.exclusive] }
data "aws_iam_access_keys" "main" { user = aws_iam_access_key.main.user }
data "aws_iam_user_ssh_key" "main" {
  username          = aws_iam_user.main.name
  ssh_public_key_id = aws_iam_user_ssh_key.main.ssh_public_key_id
  encoding          = "PEM"
}
data "aws_iam_group" "members" {
  group_name = aws_iam_group.members.name
  depends_on = [aws_iam_group_membership.members]
}
data "aws_iam_policy" "main" { arn = aws_iam_policy.main.arn }
data "aws_iam_role" "main" { name = aws_iam_role.main.name }
data "aws_iam_roles" "division" {
  path_prefix = "/division/"
  depends_on  = [aws_iam_role.main]
}
data "aws_iam_instance_profile" "main" { name = aws_iam_instance_profile.main.name }
data "aws_iam_instance_profiles" "main" { role_name = aws_iam_instance_profile.main.role }
data "aws_iam_account_alias" "main" { depends_on = [aws_iam_account_alias.main] }
data "aws_iam_server_certificate" "main" {
  name   = aws_iam_server_certificate.main.name
  latest = true
}
data "aws_iam_session_context" "me" { arn = data.aws_caller_identity.me.arn }
data "aws_iam_principal_policy_simulation" "main" {
  action_names      = ["s3:GetObject", "s3:PutObject"]
  policy_source_arn = aws_iam_role.main.arn
  depends_on        = [aws_iam_role_policy.main, aws_iam_role_policy_attachment.main]
}

output "checks" {
  value = {
    alias     = data.aws_iam_account_alias.main.account_alias
    allowed   = [for r in data.aws_iam_principal_policy_simulation.main.results : r.action_name if r.allowed]
    key       = one(data.aws_iam_access_keys.main.access_keys).access_key_id == aws_iam_access_key.main.id
    members   = [for u in data.aws_iam_group.members.users : u.user_name]
    profile   = tolist(data.aws_iam_instance_profiles.main.names)
    roles     = tolist(data.aws_iam_roles.division.names)
    user      = data.aws_iam_user.main.user_id == aws_iam_user.main.unique_id
    users     = length(data.aws_iam_users.all.names)
    issuer    = data.aws_iam_session_context.me.issuer_name
    pem       = startswith(data.aws_iam_user_ssh_key.main.public_key, "-----BEGIN PUBLIC KEY-----")
    expires   = data.aws_iam_server_certificate.main.expiration_date
    last_used = data.aws_iam_role.main.role_last_used
  }
}

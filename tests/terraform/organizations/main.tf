# The main resources and data sources of Organizations, as Terraform's users write them.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
}

provider "aws" {
  region            = "us-east-1"
  s3_use_path_style = true
}

variable "unit" { default = "Production" }
variable "team" { default = "red" }
variable "denied" {
  type    = list(string)
  default = ["organizations:LeaveOrganization"]
}
variable "parent" { default = "live" }

resource "aws_organizations_organization" "this" {
  feature_set                   = "ALL"
  aws_service_access_principals = ["guardduty.amazonaws.com", "iam.amazonaws.com"]
  enabled_policy_types          = ["RESOURCE_CONTROL_POLICY", "SERVICE_CONTROL_POLICY"]
}

locals {
  root = aws_organizations_organization.this.roots[0].id
}

resource "aws_organizations_organizational_unit" "live" {
  name      = var.unit
  parent_id = local.root
  tags      = { team = var.team }
}

resource "aws_organizations_organizational_unit" "inner" {
  name      = "Inner"
  parent_id = aws_organizations_organizational_unit.live.id
}

resource "aws_organizations_account" "dev" {
  name      = "Dev"
  email     = "dev@example.com"
  parent_id = var.parent == "live" ? aws_organizations_organizational_unit.live.id : aws_organizations_organizational_unit.inner.id
  role_name = "OrganizationAccountAccessRole"
  tags      = { team = var.team }

  lifecycle {
    ignore_changes = [role_name] # no API answers it
  }
}

data "aws_iam_policy_document" "guard" {
  statement {
    effect    = "Deny"
    actions   = var.denied
    resources = ["*"]
  }
}

resource "aws_organizations_policy" "scp" {
  name    = "guard"
  type    = "SERVICE_CONTROL_POLICY"
  content = data.aws_iam_policy_document.guard.json
  tags    = { team = var.team }
  # A policy of a type can be made before the type is enabled, but not attached.
  depends_on = [aws_organizations_organization.this]
}

resource "aws_organizations_policy" "rcp" {
  name        = "perimeter"
  description = "Only the organization gets to buckets"
  type        = "RESOURCE_CONTROL_POLICY"
  content = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = "*"
      Condition = {
        StringNotEqualsIfExists = { "aws:PrincipalOrgID" = aws_organizations_organization.this.id }
        BoolIfExists            = { "aws:PrincipalIsAWSService" = "false" }
      }
    }]
  })
}

resource "aws_organizations_policy_attachment" "root" {
  policy_id = aws_organizations_policy.rcp.id
  target_id = local.root
}

resource "aws_organizations_policy_attachment" "unit" {
  policy_id = aws_organizations_policy.scp.id
  target_id = aws_organizations_organizational_unit.live.id
}

resource "aws_organizations_policy_attachment" "account" {
  policy_id = aws_organizations_policy.scp.id
  target_id = aws_organizations_account.dev.id
}

resource "aws_organizations_delegated_administrator" "guardduty" {
  account_id        = aws_organizations_account.dev.id
  service_principal = "guardduty.amazonaws.com"
}

resource "aws_organizations_resource_policy" "this" {
  content = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Look"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${aws_organizations_account.dev.id}:root" }
      Action    = ["organizations:DescribePolicy", "organizations:ListPolicies"]
      Resource  = "*"
    }]
  })
}

resource "aws_iam_organizations_features" "this" {
  enabled_features = ["RootCredentialsManagement", "RootSessions"]
  depends_on       = [aws_organizations_organization.this]
}

data "aws_organizations_organization" "this" {
  depends_on = [aws_organizations_account.dev]
}

data "aws_organizations_organizational_unit" "inner" {
  parent_id  = aws_organizations_organizational_unit.live.id
  name       = "Inner"
  depends_on = [aws_organizations_organizational_unit.inner]
}

data "aws_organizations_organizational_units" "top" {
  parent_id  = local.root
  depends_on = [aws_organizations_organizational_unit.live]
}

data "aws_organizations_organizational_unit_child_accounts" "live" {
  parent_id  = aws_organizations_organizational_unit.live.id
  depends_on = [aws_organizations_account.dev]
}

data "aws_organizations_organizational_unit_descendant_accounts" "all" {
  parent_id  = local.root
  depends_on = [aws_organizations_account.dev]
}

data "aws_organizations_organizational_unit_descendant_organizational_units" "all" {
  parent_id  = local.root
  depends_on = [aws_organizations_organizational_unit.inner]
}

data "aws_organizations_policies" "scps" {
  filter     = "SERVICE_CONTROL_POLICY"
  depends_on = [aws_organizations_policy.scp]
}

data "aws_organizations_policies_for_target" "account" {
  target_id  = aws_organizations_account.dev.id
  filter     = "SERVICE_CONTROL_POLICY"
  depends_on = [aws_organizations_policy_attachment.account]
}

data "aws_organizations_policy" "full" {
  policy_id  = "p-FullAWSAccess"
  depends_on = [aws_organizations_organization.this]
}

data "aws_organizations_resource_tags" "unit" {
  resource_id = aws_organizations_organizational_unit.live.id
}

data "aws_organizations_delegated_administrators" "all" {
  depends_on = [aws_organizations_delegated_administrator.guardduty]
}

data "aws_organizations_delegated_services" "dev" {
  account_id = aws_organizations_delegated_administrator.guardduty.account_id
}

output "account" { value = aws_organizations_account.dev.id }
output "unit" { value = aws_organizations_organizational_unit.live.id }
output "organization" { value = aws_organizations_organization.this.id }
output "scp" { value = aws_organizations_policy.scp.id }
output "seen" {
  value = {
    accounts    = length(data.aws_organizations_organization.this.accounts)
    inner       = data.aws_organizations_organizational_unit.inner.id == aws_organizations_organizational_unit.inner.id
    top         = length(data.aws_organizations_organizational_units.top.children)
    children    = length(data.aws_organizations_organizational_unit_child_accounts.live.accounts)
    descendants = length(data.aws_organizations_organizational_unit_descendant_accounts.all.accounts)
    units       = length(data.aws_organizations_organizational_unit_descendant_organizational_units.all.children)
    scps        = length(data.aws_organizations_policies.scps.ids)
    hung        = length(data.aws_organizations_policies_for_target.account.ids)
    full        = data.aws_organizations_policy.full.aws_managed
    team        = data.aws_organizations_resource_tags.unit.tags["team"]
    delegates   = length(data.aws_organizations_delegated_administrators.all.delegated_administrators)
    services    = length(data.aws_organizations_delegated_services.dev.delegated_services)
  }
}

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
}

variable "suffix" { type = string }
variable "days" {
  type    = number
  default = 30
}
variable "payer" {
  type    = string
  default = "BucketOwner"
}
variable "content" {
  type    = string
  default = "one"
}

# A queue that the server was given a place for (`daypass up --event-destination`); without one, nobody is notified.
variable "event_queue" {
  type    = string
  default = ""
}

provider "aws" {
  s3_use_path_style = true
}

data "aws_canonical_user_id" "me" {}

resource "aws_s3_bucket" "b" {
  bucket        = "terraform-s3-${var.suffix}"
  force_destroy = true
  tags          = { team = "data" }
}

# Apart: a default retention shows as a difference of every object that does not state it.
resource "aws_s3_bucket" "locked" {
  bucket              = "terraform-s3-locked-${var.suffix}"
  object_lock_enabled = true
}

resource "aws_s3_bucket_versioning" "b" {
  bucket = aws_s3_bucket.b.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_ownership_controls" "b" {
  bucket = aws_s3_bucket.b.id
  rule { object_ownership = "BucketOwnerPreferred" }
}

resource "aws_s3_bucket_acl" "b" {
  depends_on = [aws_s3_bucket_ownership_controls.b]
  bucket     = aws_s3_bucket.b.id
  access_control_policy {
    owner { id = data.aws_canonical_user_id.me.id }
    grant {
      grantee {
        id   = data.aws_canonical_user_id.me.id
        type = "CanonicalUser"
      }
      permission = "FULL_CONTROL"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "b" {
  bucket                  = aws_s3_bucket.b.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "b" {
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyOfUs"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = "${aws_s3_bucket.b.arn}/forbidden/*"
    }]
  })
}

resource "aws_s3_bucket_server_side_encryption_configuration" "b" {
  bucket = aws_s3_bucket.b.id
  rule {
    apply_server_side_encryption_by_default { sse_algorithm = "AES256" }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "b" {
  bucket = aws_s3_bucket.b.id
  rule {
    id     = "old"
    status = "Enabled"
    filter { prefix = "logs/" }
    expiration { days = var.days }
  }
  rule {
    id     = "unfinished"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload { days_after_initiation = 7 }
  }
}

resource "aws_s3_bucket_cors_configuration" "b" {
  bucket = aws_s3_bucket.b.id
  cors_rule {
    allowed_methods = ["GET", "PUT"]
    allowed_origins = ["https://example.com"]
    allowed_headers = ["*"]
    expose_headers  = ["ETag"]
    max_age_seconds = 3000
  }
}

resource "aws_s3_bucket_request_payment_configuration" "b" {
  bucket = aws_s3_bucket.b.id
  payer  = var.payer
}

resource "aws_s3_bucket_accelerate_configuration" "b" {
  bucket = aws_s3_bucket.b.id
  status = "Enabled"
}

resource "aws_s3_bucket_object_lock_configuration" "b" {
  bucket = aws_s3_bucket.locked.id
  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = 1
    }
  }
}

resource "aws_s3_bucket_intelligent_tiering_configuration" "b" {
  bucket = aws_s3_bucket.b.id
  name   = "all"
  tiering {
    access_tier = "DEEP_ARCHIVE_ACCESS"
    days        = 180
  }
}

resource "aws_s3_bucket_metric" "b" {
  bucket = aws_s3_bucket.b.id
  name   = "all"
}

resource "aws_s3_bucket_analytics_configuration" "b" {
  bucket = aws_s3_bucket.b.id
  name   = "all"
}

resource "aws_s3_bucket_inventory" "b" {
  bucket                   = aws_s3_bucket.b.id
  name                     = "daily"
  included_object_versions = "All"
  schedule { frequency = "Daily" }
  destination {
    bucket {
      format     = "CSV"
      bucket_arn = aws_s3_bucket.b.arn
    }
  }
}

resource "aws_s3_object" "o" {
  depends_on    = [aws_s3_bucket_versioning.b]
  bucket        = aws_s3_bucket.b.id
  key           = "notes/one.txt"
  content       = var.content
  content_type  = "text/plain"
  force_destroy = true
  tags          = { kind = "note" }
}

resource "aws_s3_object_copy" "c" {
  bucket = aws_s3_bucket.b.id
  key    = "notes/copy.txt"
  # A copy has its source's tags unless told otherwise, which would show as a difference.
  tagging_directive = "REPLACE"
  source            = "${aws_s3_bucket.b.id}/${aws_s3_object.o.key}"
  force_destroy     = true
}

data "aws_s3_bucket" "b" {
  bucket = aws_s3_bucket.b.id
}

data "aws_s3_objects" "o" {
  depends_on = [aws_s3_object_copy.c]
  bucket     = aws_s3_bucket.b.id
  prefix     = "notes/"
}

output "keys" { value = data.aws_s3_objects.o.keys }

resource "aws_s3_account_public_access_block" "a" {
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = var.payer == "BucketOwner"
}

data "aws_s3_account_public_access_block" "a" {
  depends_on = [aws_s3_account_public_access_block.a]
}

resource "aws_s3_access_point" "door" {
  bucket = aws_s3_bucket.b.id
  name   = "terraform-${var.suffix}"
  public_access_block_configuration {
    block_public_acls       = true
    block_public_policy     = true
    ignore_public_acls      = true
    restrict_public_buckets = true
  }
  lifecycle { ignore_changes = [policy] }
}

resource "aws_s3control_access_point_policy" "door" {
  access_point_arn = aws_s3_access_point.door.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = "${aws_s3_access_point.door.arn}/object/${var.content}/*"
    }]
  })
}

resource "aws_s3_bucket_website_configuration" "b" {
  bucket = aws_s3_bucket.b.id
  index_document { suffix = "index.html" }
  error_document { key = "error-${var.content}.html" }
  routing_rule {
    condition { key_prefix_equals = "docs/" }
    redirect { replace_key_prefix_with = "documents/" }
  }
}

resource "aws_s3_object" "moved" {
  bucket           = aws_s3_bucket.b.id
  key              = "moved"
  content          = ""
  website_redirect = "/o"
  depends_on       = [aws_s3_bucket_versioning.b]
}

resource "aws_s3_bucket" "logs" {
  bucket        = "terraform-s3-logs-${var.suffix}"
  force_destroy = true
}

resource "aws_s3_bucket_logging" "b" {
  bucket        = aws_s3_bucket.b.id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "log-${var.content}/"
  target_object_key_format {
    partitioned_prefix { partition_date_source = "EventTime" }
  }
}

resource "aws_s3_bucket_notification" "b" {
  count  = var.event_queue == "" ? 0 : 1
  bucket = aws_s3_bucket.b.id
  queue {
    queue_arn     = var.event_queue
    events        = ["s3:ObjectCreated:*", "s3:ObjectRemoved:Delete"]
    filter_prefix = "in-${var.content}/"
    filter_suffix = ".jpg"
  }
}

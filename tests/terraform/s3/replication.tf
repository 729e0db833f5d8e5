# A bucket whose objects are replicated into two others, by a role.

resource "aws_s3_bucket" "replicated" {
  for_each      = toset(["from", "to", "to-sealed"])
  bucket        = "terraform-s3-${each.key}-${var.suffix}"
  force_destroy = true
}

resource "aws_s3_bucket_versioning" "replicated" {
  for_each = aws_s3_bucket.replicated
  bucket   = each.value.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_iam_role" "replicates" {
  name = "terraform-replicates-${var.suffix}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "s3.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "replicates" {
  name = "replicates"
  role = aws_iam_role.replicates.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["s3:GetReplicationConfiguration", "s3:ListBucket"], Resource = aws_s3_bucket.replicated["from"].arn },
      {
        Effect   = "Allow"
        Action   = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"]
        Resource = "${aws_s3_bucket.replicated["from"].arn}/*"
      },
      { Effect = "Allow", Action = ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"], Resource = "${aws_s3_bucket.replicated["to"].arn}/*" },
    ]
  })
}

resource "aws_s3_bucket_replication_configuration" "b" {
  depends_on = [aws_s3_bucket_versioning.replicated, aws_iam_role_policy.replicates]
  bucket     = aws_s3_bucket.replicated["from"].id
  role       = aws_iam_role.replicates.arn

  rule {
    id       = "all"
    priority = 1
    status   = "Enabled"
    filter {
      prefix = "replicated/"
    }
    delete_marker_replication {
      status = "Enabled"
    }
    destination {
      bucket        = aws_s3_bucket.replicated["to"].arn
      storage_class = var.content == "one" ? "STANDARD_IA" : "ONEZONE_IA"
      metrics {
        status = "Enabled"
        event_threshold {
          minutes = 15
        }
      }
      replication_time {
        status = "Enabled"
        time {
          minutes = 15
        }
      }
    }
  }

  rule {
    id       = "tagged"
    priority = 2
    status   = "Disabled"
    filter {
      and {
        prefix = "b/"
        tags   = { team = "data", kind = "log" }
      }
    }
    delete_marker_replication {
      status = "Disabled"
    }
    source_selection_criteria {
      replica_modifications {
        status = "Enabled"
      }
      sse_kms_encrypted_objects {
        status = "Enabled"
      }
    }
    destination {
      bucket  = aws_s3_bucket.replicated["to-sealed"].arn
      account = data.aws_caller_identity.me.account_id
      access_control_translation {
        owner = "Destination"
      }
      encryption_configuration {
        replica_kms_key_id = aws_kms_key.k.arn
      }
    }
  }
}

resource "aws_s3_object" "replicated" {
  depends_on = [aws_s3_bucket_replication_configuration.b]
  bucket     = aws_s3_bucket.replicated["from"].id
  key        = "replicated/object"
  content    = "to be replicated, ${var.content}"
}

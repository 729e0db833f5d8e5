# A key of KMS, and a bucket whose objects it seals.

data "aws_caller_identity" "me" {}

resource "aws_iam_role" "reader" {
  name = "terraform-kms-${var.suffix}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_kms_key" "k" {
  description             = "key ${var.content}"
  deletion_window_in_days = 7
  enable_key_rotation     = true
  rotation_period_in_days = 180
  tags                    = { team = "data" }
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Reader"
        Effect    = "Allow"
        Principal = { AWS = aws_iam_role.reader.arn }
        Action    = "kms:Decrypt"
        Resource  = "*"
        Condition = { StringEquals = { "kms:ViaService" = "s3.us-east-1.amazonaws.com" } }
      },
    ]
  })
}

resource "aws_kms_alias" "k" {
  name          = "alias/terraform-${var.suffix}"
  target_key_id = aws_kms_key.k.key_id
}

resource "aws_kms_grant" "k" {
  name              = "reader"
  key_id            = aws_kms_key.k.key_id
  grantee_principal = aws_iam_role.reader.arn
  operations        = ["Encrypt", "GenerateDataKey", "DescribeKey"]
  constraints {
    encryption_context_subset = { app = "x" }
  }
}

resource "aws_kms_ciphertext" "c" {
  key_id    = aws_kms_key.k.key_id
  plaintext = "hello"
  context   = { app = "x" }
}

data "aws_kms_secrets" "c" {
  secret {
    name    = "c"
    payload = aws_kms_ciphertext.c.ciphertext_blob
    context = { app = "x" }
  }
}

data "aws_kms_alias" "s3" {
  name = "alias/aws/s3"
}

resource "aws_s3_bucket" "sealed" {
  bucket        = "terraform-s3-sealed-${var.suffix}"
  force_destroy = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "sealed" {
  bucket = aws_s3_bucket.sealed.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.k.arn
    }
  }
}

resource "aws_s3_object" "sealed" {
  depends_on = [aws_s3_bucket_server_side_encryption_configuration.sealed]
  bucket     = aws_s3_bucket.sealed.id
  key        = "default"
  content    = data.aws_kms_secrets.c.plaintext["c"]
}

resource "aws_s3_object" "named" {
  bucket     = aws_s3_bucket.sealed.id
  key        = "named"
  content    = var.content
  kms_key_id = aws_kms_key.k.arn
}

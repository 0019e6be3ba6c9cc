# A bucket for copies and products, where one is asked for.

resource "aws_s3_bucket" "data" {
  count = var.data_bucket == null ? 0 : 1

  bucket = var.data_bucket

  lifecycle {
    # What readers point to is not removed by a slip.
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_public_access_block" "data" {
  count = length(aws_s3_bucket.data)

  bucket                  = aws_s3_bucket.data[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "data" {
  count = length(aws_s3_bucket.data)

  bucket = aws_s3_bucket.data[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "data" {
  count = length(aws_s3_bucket.data)

  bucket = aws_s3_bucket.data[0].id

  rule {
    id     = "uploads-that-never-ended"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # Stores have no rule: what is old in them is often what is read. `freshet upkeep` knows what nothing needs.
  dynamic "rule" {
    for_each = var.mirror_days == null ? [] : [var.mirror_days]

    content {
      id     = "copies"
      status = "Enabled"

      filter {
        prefix = "mirror/"
      }

      expiration {
        days = rule.value
      }
    }
  }
}

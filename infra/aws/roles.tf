# One role for each part, with the actions that its code calls and no others: test/infra compares them with the code.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  queue_arns       = [for queue in aws_sqs_queue.announcements : queue.arn]
  dead_letter_arns = [for queue in aws_sqs_queue.dead_letters : queue.arn]
  source_buckets   = distinct(flatten([for source in values(var.sources) : source.buckets]))
  source_arns      = [for bucket in local.source_buckets : "arn:${data.aws_partition.current.partition}:s3:::${bucket}"]
  here             = "${var.region}:${data.aws_caller_identity.current.account_id}"
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = var.trusted_services
    }
  }
}

# Secrets of this stage: ssm:/freshet/STAGE/… and secret:freshet/STAGE/… in dataset files.
data "aws_iam_policy_document" "secrets" {
  statement {
    sid       = "Parameters"
    actions   = ["ssm:GetParameter"]
    resources = ["arn:${data.aws_partition.current.partition}:ssm:${local.here}:parameter/freshet/${var.stage}/*"]
  }

  statement {
    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = ["arn:${data.aws_partition.current.partition}:secretsmanager:${local.here}:secret:freshet/${var.stage}/*"]
  }
}

data "aws_iam_policy_document" "starter" {
  source_policy_documents = [data.aws_iam_policy_document.secrets.json]

  statement {
    sid       = "Queues"
    actions   = ["sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
    resources = local.queue_arns
  }

  statement {
    sid       = "DeadLetters"
    actions   = ["sqs:GetQueueUrl", "sqs:SendMessage"]
    resources = local.dead_letter_arns
  }
}

# A worker reads sources, and writes to the bucket for copies and products, where there is one.
data "aws_iam_policy_document" "worker" {
  source_policy_documents = [data.aws_iam_policy_document.secrets.json]

  statement {
    sid       = "Granules"
    actions   = ["s3:GetObject"]
    resources = [for arn in local.source_arns : "${arn}/*"]
  }

  # With it S3 says of an object that is not there that it is not there, and not that it is forbidden.
  statement {
    sid       = "Listings"
    actions   = ["s3:ListBucket"]
    resources = local.source_arns
  }

  # Copies (mirror/), and what products have in a bucket (stores/). What is there is asked for before it is written; what was uploaded in part
  # goes on, or is given up.
  dynamic "statement" {
    for_each = aws_s3_bucket.data

    content {
      sid = "Copies"
      actions = [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
      ]
      resources = ["${statement.value.arn}/mirror/*", "${statement.value.arn}/stores/*"]
    }
  }

  dynamic "statement" {
    for_each = aws_s3_bucket.data

    content {
      sid       = "CopiesAndUploads"
      actions   = ["s3:ListBucket", "s3:ListBucketMultipartUploads"]
      resources = [statement.value.arn]
    }
  }

  # Whom dataset files name under notify.
  dynamic "statement" {
    for_each = length(var.notify_topics) > 0 ? [var.notify_topics] : []

    content {
      sid       = "NotifyTopics"
      actions   = ["sns:Publish"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = length(var.notify_queues) > 0 ? [var.notify_queues] : []

    content {
      sid       = "NotifyQueues"
      actions   = ["sqs:SendMessage"]
      resources = statement.value
    }
  }
}

data "aws_iam_policy_document" "reader" {
  statement {
    sid       = "References"
    actions   = ["s3:GetObject"]
    resources = concat([for arn in local.source_arns : "${arn}/*"], [for bucket in aws_s3_bucket.data : "${bucket.arn}/*"])
  }

  statement {
    sid       = "Listings"
    actions   = ["s3:ListBucket"]
    resources = concat(local.source_arns, [for bucket in aws_s3_bucket.data : bucket.arn])
  }
}

data "aws_iam_policy_document" "reader_trust" {
  count = length(var.reader_principals) > 0 ? 1 : 0

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = var.reader_principals
    }
  }
}

resource "aws_iam_role" "starter" {
  name               = "freshet-${var.stage}-starter"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "starter" {
  name   = "starter"
  role   = aws_iam_role.starter.id
  policy = data.aws_iam_policy_document.starter.json
}

resource "aws_iam_role" "worker" {
  name               = "freshet-${var.stage}-worker"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "worker" {
  name   = "worker"
  role   = aws_iam_role.worker.id
  policy = data.aws_iam_policy_document.worker.json
}

resource "aws_iam_role" "reader" {
  count = length(var.reader_principals) > 0 ? 1 : 0

  name               = "freshet-${var.stage}-reader"
  assume_role_policy = data.aws_iam_policy_document.reader_trust[0].json
}

resource "aws_iam_role_policy" "reader" {
  count = length(var.reader_principals) > 0 ? 1 : 0

  name   = "reader"
  role   = aws_iam_role.reader[0].id
  policy = data.aws_iam_policy_document.reader.json
}

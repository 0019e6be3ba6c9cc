# For each source: SNS topic -> queue, and a dead-letter queue for what is malformed or comes too often.

resource "aws_sqs_queue" "dead_letters" {
  for_each = var.sources

  name                      = "freshet-${var.stage}-${each.key}-dead"
  message_retention_seconds = var.retention_days * 86400
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "announcements" {
  for_each = var.sources

  name                       = "freshet-${var.stage}-${each.key}"
  visibility_timeout_seconds = var.visibility_seconds
  message_retention_seconds  = var.retention_days * 86400
  receive_wait_time_seconds  = 3
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters[each.key].arn
    maxReceiveCount     = var.max_receive_count
  })
}

# Nobody else's queue may use ours for its dead letters.
resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  for_each = var.sources

  queue_url = aws_sqs_queue.dead_letters[each.key].id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.announcements[each.key].arn]
  })
}

# Only the source's topic may send.
data "aws_iam_policy_document" "queue" {
  for_each = var.sources

  statement {
    sid       = "TopicSends"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.announcements[each.key].arn]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [each.value.topic]
    }
  }
}

resource "aws_sqs_queue_policy" "announcements" {
  for_each = var.sources

  queue_url = aws_sqs_queue.announcements[each.key].id
  policy    = data.aws_iam_policy_document.queue[each.key].json
}

resource "aws_sns_topic_subscription" "announcements" {
  for_each = var.sources

  topic_arn            = each.value.topic
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.announcements[each.key].arn
  raw_message_delivery = each.value.raw

  # SNS sends a first message to confirm: the queue must let it in before.
  depends_on = [aws_sqs_queue_policy.announcements]
}

# Somebody should look at what is malformed.
resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = var.sources

  alarm_name          = "freshet-${var.stage}-${each.key}-dead-letters"
  alarm_description   = "Messages that Freshet could not read: the attribute FreshetReason says why (docs/sources.md, SQS)."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead_letters[each.key].name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}

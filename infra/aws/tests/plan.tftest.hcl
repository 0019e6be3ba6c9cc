# `terraform test`: plans with a provider that is played, so that neither an account nor a network is needed.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  stage   = "dev"
  sources = { ofs = { topic = "arn:aws:sns:us-east-1:123901341784:NewOFSObject", buckets = ["noaa-nos-ofs-pds"] } }
}

run "a_source_has_a_queue_with_dead_letters" {
  command = plan

  assert {
    condition     = aws_sqs_queue.announcements["ofs"].name == "freshet-dev-ofs"
    error_message = "The queue's name tells stage and source."
  }
  assert {
    condition     = aws_sns_topic_subscription.announcements["ofs"].topic_arn == "arn:aws:sns:us-east-1:123901341784:NewOFSObject"
    error_message = "The queue is subscribed to the source's topic."
  }
  assert {
    condition     = length(aws_s3_bucket.data) == 0 && length(aws_iam_role.reader) == 0
    error_message = "Neither bucket nor reader is made where none is asked for."
  }
}

run "a_bucket_and_readers_where_they_are_asked_for" {
  command = plan

  variables {
    data_bucket       = "freshet-dev-data"
    mirror_days       = 90
    reader_principals = ["arn:aws:iam::210987654321:root"]
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.data[0].restrict_public_buckets
    error_message = "The bucket is not public."
  }
  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.data[0].rule) == 2
    error_message = "Copies expire, and so do uploads that never ended."
  }
  assert {
    condition     = length(aws_iam_role.reader) == 1
    error_message = "Readers have a role."
  }
}

run "a_stage_that_is_no_name_is_refused" {
  command = plan

  variables {
    stage = "Production"
  }

  expect_failures = [var.stage]
}

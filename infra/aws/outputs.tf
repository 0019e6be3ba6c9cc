output "queues" {
  description = "`sqs.queue` of each source, by its name in the dataset file."
  value       = { for name, queue in aws_sqs_queue.announcements : name => queue.url }
}

output "dead_letter_queues" {
  description = "Where malformed messages of each source go."
  value       = { for name, queue in aws_sqs_queue.dead_letters : name => queue.url }
}

output "roles" {
  description = "The role of each part."
  value = {
    starter = aws_iam_role.starter.arn
    worker  = aws_iam_role.worker.arn
    reader  = one(aws_iam_role.reader[*].arn)
  }
}

output "data_bucket" {
  description = "The bucket for copies and products; null where none was asked for."
  value       = one(aws_s3_bucket.data[*].bucket)
}

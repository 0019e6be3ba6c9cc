variable "stage" {
  description = "The stage, as dataset files name it; part of every name, so that stages may share an account."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.stage))
    error_message = "A name of at most 16 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "region" {
  description = "The region of the queues, the secrets and the bucket."
  type        = string
  default     = "us-east-1"
}

variable "sources" {
  description = "Sources by their names in the dataset file: the SNS topic that announces their granules, and the buckets that they lie in."
  type = map(object({
    topic   = string
    buckets = list(string)
    # True: the queue gets the message alone, without SNS's envelope. Freshet reads both.
    raw = optional(bool, false)
  }))

  validation {
    condition     = alltrue([for source in values(var.sources) : can(regex("^arn:aws[a-z-]*:sns:", source.topic))])
    error_message = "Each topic is the ARN of an SNS topic."
  }
}

variable "visibility_seconds" {
  description = "How long a message belongs to the starter that took it; `sqs.visibility` of the dataset file. It is extended while the starter waits."
  type        = number
  default     = 60
}

variable "max_receive_count" {
  description = "How often a message may come before it goes to the dead-letter queue. A starter that is killed uses up one."
  type        = number
  default     = 10
}

variable "retention_days" {
  description = "How long announcements wait in a queue, and malformed ones in the dead-letter queue."
  type        = number
  default     = 14

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 14
    error_message = "1 to 14 days: SQS keeps no message for longer."
  }
}

variable "data_bucket" {
  description = "The name of a bucket for copies (mirror/) and products (stores/); null: none is made."
  type        = string
  default     = null
}

variable "mirror_days" {
  description = "After how many days copies expire. No product may point to them by then; null: never."
  type        = number
  default     = null
}

variable "trusted_services" {
  description = "AWS services that starters and workers run in."
  type        = list(string)
  default     = ["ecs-tasks.amazonaws.com"]
}

variable "reader_principals" {
  description = "ARNs of the principals that may take the reader's role; none: there is no such role."
  type        = list(string)
  default     = []
}

variable "notify_topics" {
  description = "ARNs of SNS topics that dataset files name under notify."
  type        = list(string)
  default     = []
}

variable "notify_queues" {
  description = "ARNs of SQS queues that dataset files name under notify."
  type        = list(string)
  default     = []
}

terraform {
  required_version = ">= 1.7"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0, < 7.0"
    }
  }
}

# The region of the queues, the secrets and the bucket. SNS delivers to queues of other regions.
provider "aws" {
  region = var.region

  default_tags {
    tags = {
      application = "freshet"
      stage       = var.stage
    }
  }
}

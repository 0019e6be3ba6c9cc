export { type AmqpAccess, amqpAccess, amqpRefusal, codeOf } from "./amqp-access.ts";
export { connectBroker } from "./amqp-connect.ts";
export { type SqsAccess, sqsAccess, sqsRefusal } from "./sqs-access.ts";
export { queueUrl } from "./sqs-queue-url.ts";

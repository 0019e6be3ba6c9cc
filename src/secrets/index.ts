export { Redaction } from "./redaction.ts";
export { parseSecretReference, SECRET_FORM, SECRET_REFERENCE, type SecretReference } from "./secret-reference.ts";
export { Secrets, secrets } from "./secrets.ts";

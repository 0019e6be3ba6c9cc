/** A secret by the name of the environment variable that holds it. The value itself is never part of a parsed file. */
export interface SecretReference {
  readonly env: string;
}

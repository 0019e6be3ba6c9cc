/** Who asks servers for bytes: what each address is told, and no other. */
export interface HttpCredentials {
  /** Headers for a request to this address; empty for one that is to be told nothing. */
  headersFor(url: URL): Promise<Readonly<Record<string, string>>>;
  /** Takes note of the cookies that an answer sets. */
  keep(url: URL, setCookie: readonly string[]): void;
  /** Whether a redirect to this address belongs to the way to the bytes. */
  mayRedirectTo(url: URL): boolean;
  /** Whether an answer from this address is a login page, and not the bytes. */
  isLogin(url: URL): boolean;
}

/** Temporary or lasting keys of S3. */
export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Until when they hold; undefined: for good. */
  readonly expiration?: Date;
}

/** Who gives keys of S3. */
export interface S3KeyGiver {
  /** Tells givers apart; no secret. */
  readonly id: string;
  /** Keys that hold for a while yet. @throws FreshetError as reading a file of the server that gives them. */
  keys(): Promise<S3Keys>;
}

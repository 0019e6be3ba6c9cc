/** Turns one source of messages into announcements, until it is told to stop. */
export interface Starter {
  /** `sqs:ofs`, `amqp:hpfx`: what it is and the sources it serves. */
  readonly name: string;
  /**
   * Works until the signal aborts, then finishes what is under way and resolves. A source that goes away is waited for, however long.
   * @throws FreshetError at the start, with what to do, when the source will not let us in.
   */
  run(signal: AbortSignal): Promise<void>;
}

/** Where starters tell what happens: facts for programs, a sentence for people. pino's loggers are of this form. */
export interface Log {
  info(facts: object, sentence: string): void;
  warn(facts: object, sentence: string): void;
  error(facts: object, sentence: string): void;
}

/** Something that is no event is to be published, or a handler waits for one that does not exist. One sentence. */
export class EventError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EventError';
  }
}

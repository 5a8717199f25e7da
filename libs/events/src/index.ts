export { compareCursors, parseCursor, startCursor, type Cursor } from './cursor';
export { EventError } from './errors';
export { EventFeed, type FeedItem, type FollowOptions } from './feed';
export { readMessage, type EventLog } from './guard';
export { eventStreamKey } from './keys';
export { listenEvents, type EventListening, type ListenOptions } from './listener';
export { EventPublisher, trimEvents, type NewEvent } from './publisher';

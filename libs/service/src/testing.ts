export { childPrelude } from './testing-child';

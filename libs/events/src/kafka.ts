export { readRunFromKafka, type ReadBackEvent } from './kafka/kafka-reader';
export { KafkaSink } from './kafka/kafka-sink';

import { correctedJson } from './lax-json';

describe('JSON as people write it', () => {
  it.each([
    ['a comma at the end', '{"a": [1, 2,],\n}', '{"a": [1, 2]\n}', 'a comma before a closing bracket'],
    ['a comment', '{ // mine\n"a": "x // y" /* z */, # w\n"b": 1}', '{ \n"a": "x // y" , \n"b": 1}', 'a comment'],
    ['a byte order mark', '\ufeff{"a": 1}', '{"a": 1}', 'a byte order mark'],
    ['single quotes', "{'a': 'b c'}", '{"a": "b c"}', 'single quotes'],
    ['bare keys', '{1: {Name: "x"}}', '{"1": {"Name": "x"}}', 'a key without quotes'],
    ['Python', '{"a": True, "b": None}', '{"a": true, "b": null}', 'True for true, None for null'],
    ['the last bracket missing', '{"a": {"b": 1},\n', '{"a": {"b": 1}\n}\n', 'a comma before a closing bracket, no } at the end'],
  ])('%s is put right, and nothing else', (_, text, right, what) => {
    expect(correctedJson(text)).toEqual({ text: right, what: expect.any(Array) });
    expect(correctedJson(text)?.what.join(', ')).toBe(what);
  });

  it.each([
    ['JSON already', '{"a": 1}'],
    ['two brackets missing', '{"a": {"b": 1'],
    ['a text that was cut off', '{"a": "b'],
    ['brackets that do not fit', '{"a": [1}'],
    ['a comma missing', '{"a": 1 "b": 2}'],
    ['a quote in single quotes', `{'a': 'say "x"'}`],
    ['YAML', 'a:\n  b: 1\n'],
    ['a comment without end', '{"a": 1 /* '],
  ])('%s is left as it is', (_, text) => expect(correctedJson(text)).toBeUndefined());

  it('is looked at in time that grows with its length', () => {
    const begun = process.cpuUsage().user;
    for (const piece of ['/*', ',', '[', '"', "'", '#', ',/**/', ', ']) correctedJson(piece.repeat(30_000));
    expect(process.cpuUsage().user - begun).toBeLessThan(2_000_000);
  });
});

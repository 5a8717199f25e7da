import { duplicateFields } from './duplicates';

describe('duplicate fields of a JSON text', () => {
  it.each([
    ['{"a":1,"b":{"c":2}}', []],
    ['{"data":{"a":"1","a":"2"}}', ['data.a']],
    ['{ "s" : [ {"x":1}, {"x":1,"y":"}\\"",  "x":2} ], "s": null }', ['s[1].x', 's']],
    ['{"a\\u0062":1,"ab":2}', ['ab']],
    ['[]', []],
  ])('of %s are %j', (json, expected) => expect(duplicateFields(json)).toEqual(expected));
});

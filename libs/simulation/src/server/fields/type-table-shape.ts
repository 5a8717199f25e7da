/** A field that is not a plain value, in the table's words. */
export interface CompactField {
  /** `map`, `set` or `atomic`; left out for what is no list. */
  readonly list?: string;
  /** The fields that tell the elements of a list of kind map apart. */
  readonly keys?: readonly string[];
  /** Type of the values of a map: `.` for a plain value, `?` for anything, else a name. */
  readonly map?: string;
  /** Type of a struct or of the elements of a list, likewise. */
  readonly of?: string;
  readonly mapType?: string;
  /** A struct held by value: Go prints it even when it is empty. */
  readonly byValue?: boolean;
  /** How a strategic merge patch treats it: `merge`, `retainKeys`, `replace`. */
  readonly patch?: string;
  readonly mergeKey?: string;
}

/** One type of the API. */
export interface CompactType {
  /** Plain fields that are not printed when zero; separated by spaces. */
  readonly values?: string;
  /** Other plain fields: zero is a value. */
  readonly pointers?: string;
  readonly fields?: Readonly<Record<string, CompactField>>;
  /** What Go prints for a field that nobody set and that has no omitempty. */
  readonly zero?: Readonly<Record<string, unknown>>;
  /** What a key of a list is when an element leaves it out. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  readonly atomic?: boolean;
}

/** Kinds as `group/version/Kind` with the names of their types, and these types. */
export interface TypeTable {
  readonly kinds: Readonly<Record<string, string>>;
  readonly types: Readonly<Record<string, CompactType>>;
}

/** Laws of the records of primitives: what each rule and each flag of a record promises to everything that uses it. */
import type { PrimitiveCase } from "../cases.js";
import type { Law } from "../law.js";
import * as exactness from "./recordExactness.js";
import * as rules from "./recordRules.js";
import * as types from "./recordTypes.js";
import * as values from "./recordValues.js";
import * as sparsity from "./sparsity.js";

export const primitiveLaws: readonly Law<PrimitiveCase>[] = [
  ...types.primitiveLaws,
  ...rules.primitiveLaws,
  ...values.primitiveLaws,
  ...exactness.primitiveLaws,
  ...sparsity.primitiveLaws,
];

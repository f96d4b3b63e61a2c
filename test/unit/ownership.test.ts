/** Results are arrays of their own: whoever disposes of one still has its operands and the other results. */
import { describe, expect, it } from "vitest";
import type { NDArray } from "../../src/core/array.js";
import { bind } from "../../src/core/trace.js";
import { chosen, drawAll, generator, labelled } from "./examples.js";

/** Elements as they are now, so that later ones can be compared. */
const copies = (arrays: readonly NDArray[]): number[][] => arrays.map((x) => [...x.dataSync()]);

for (const primitive of chosen)
  describe(primitive.name, () => {
    it.each(labelled(primitive))("example %i: %s", (i, _, example) => {
      const operands = drawAll(example, generator(i + 1));
      const before = copies(operands);
      const results = bind(primitive, operands, example.params);
      const values = copies(results);
      // The first goes first: what is left of the others is looked at each time.
      for (const [k, y] of results.entries()) {
        expect(copies(results.slice(k))).toEqual(values.slice(k));
        y.dispose();
      }
      expect(copies(operands)).toEqual(before);

      const again = bind(primitive, operands, example.params);
      for (const x of operands) x.dispose();
      expect(copies(again)).toEqual(values);
    });
  });

/** Elements by index: what `x.slice(...)` reads, and the functions of NumPy that take elements at given places. */
import type { NDArray } from "../core/array.js";
import { describe } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import type { AxisOr, Index } from "../core/methods.js";
import { convertElementType } from "../primitives/cast.js";
import { showParam } from "../primitives/checks.js";
import { dynamicSlice } from "../primitives/dynamic.js";
import { gather } from "../primitives/gather.js";
import { reshape, transpose } from "../primitives/shape.js";
import { rev, slice } from "../primitives/slicing.js";
import { mod } from "./arithmetic.js";
import { axisOptions, oneAxis, plainOptions, wholeNumber } from "./axes.js";
import { integers } from "./constants.js";
import { indexArray, type Gathered, type Part, readIndices, wrapNegative } from "./indexParts.js";
import { indexVectors, lengthsOf, type Plan, planIndices } from "./indexPlan.js";
import { ravel } from "./manipulation.js";
import { type ArrayLike, asArray } from "./operands.js";
import { counting, elementAt, gatherAxis, sliceAxis } from "./rearrange.js";

export { at } from "./at.js";

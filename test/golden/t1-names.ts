/** The NumPy functions the library promises, in its own spelling. */
export const functions: readonly string[] = `
  abs absolute add all any allclose arange argmax argmin argsort array arrayEqual asarray astype atleast1d broadcastArrays
  broadcastShapes broadcastTo ceil clip concatenate cos cosh cumprod cumsum diag diagonal divide dot einsum equal exp
  expandDims expm1 eye flip floor floorDivide full fullLike greater greaterEqual hypot identity inner isfinite isinf isnan
  issubdtype less lessEqual linspace log log1p log2 log10 logaddexp logicalAnd logicalNot logicalOr logicalXor matmul max
  maximum mean meshgrid min minimum mod moveaxis multiply nanToNum ndim negative notEqual ones onesLike outer pad pow power
  prod ravel reciprocal remainder repeat reshape resultType promoteTypes roll round shape sign sin sinh size sort split sqrt
  square squeeze stack std subtract sum swapaxes take takeAlongAxis tan tanh tensordot tile trace transpose tri tril triu
  trueDivide trunc unstack var vdot vecdot vstack hstack where zeros zerosLike arcsin arccos arctan arctan2 arcsinh arccosh
  arctanh asin acos atan atan2 asinh acosh atanh bitwiseAnd bitwiseOr bitwiseXor bitwiseNot leftShift rightShift linalg.norm
`
  .trim()
  .split(/\s+/);

/** The constants among them, which need no golden case but their value. */
export const constants: Readonly<Record<string, unknown>> = {
  e: Math.E,
  inf: Infinity,
  nan: Number.NaN,
  newaxis: null,
  pi: Math.PI,
};

/** The dtype constants: each is its own name. (`bool_` is NumPy's spelling of the type that JavaScript calls boolean.) */
export const dtypes: readonly string[] = ["float16", "float32", "float64", "int32", "uint32", "uint8"];

/** The example of Olah's essay on computational graphs, for the command: e = (a + b)(b + 1). */
export const e = (a, b) => {
  const c = a.add(b);
  const d = b.add(1);
  return c.mul(d);
};

export const eArgs = [2, 1];

export default e;

/** Runs before each test file on the device "reference". */
import { beforeEach } from "vitest";
import { onReference, reasonToLeaveOut } from "./leftOut.js";

beforeEach(({ task, skip }) => {
  const reason = reasonToLeaveOut(onReference, task);
  if (reason !== undefined) skip(reason);
});

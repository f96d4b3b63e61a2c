/** Leaves the answers of this page and of a worker of its, or what went wrong, in `globalThis.portable`. */
import { answers } from "./portable.js";

const inWorker = () =>
  new Promise((resolve, reject) => {
    const worker = new Worker("/inWorker.js", { type: "module" });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
  });

const portable = Promise.all([answers(), inWorker()]);
portable.catch(() => {}); // whoever awaits it sees the error
Object.assign(globalThis, { portable });

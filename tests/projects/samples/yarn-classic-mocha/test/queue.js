const assert = require("node:assert/strict");

describe("queue", () => {
  it("gives back what came first", () => assert.equal([1, 2].shift(), 1));
  it("is empty at first", () => assert.equal([].length, 1));
  it("takes priorities");
});

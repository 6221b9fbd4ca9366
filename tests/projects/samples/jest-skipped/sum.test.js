const sum = require("./sum");

describe("sum", () => {
  test("of nothing is zero", () => expect(sum()).toBe(0));
  test("of two", () => expect(sum(1, 2)).toBe(3));
  test.skip("of texts", () => expect(sum("a", "b")).toBe("ab"));
  test.todo("of big integers");
});

"""What each capture of a linter, compiler, bundler or stack holds: file, line, column and code of every finding."""

from __future__ import annotations

from typing import Final, TypeAlias

Row: TypeAlias = tuple[str, str, str, list[tuple[str, int, int, str]]]

# reader, capture, tool, findings: errors first, each in the order it was printed
LINTERS: Final[list[Row]] = [
    ("tsc", "tsc7.txt", "tsc", [("src/clock.ts", 4, 9, "TS6133"), ("src/clock.ts", 5, 3, "TS2322")]),
    ("tsc", "tsc5.txt", "tsc", [("src/t.ts", 1, 7, "TS2322")]),
    ("tsc", "tsc5-pretty.txt", "tsc", [("src/t.ts", 1, 7, "TS2322")]),
    (
        "tsc", "tsc7-pretty.txt", "tsc",
        [
            ("src/a.ts", 1, 10, "TS2305"), ("src/a.ts", 2, 8, "TS2882"), ("src/a.ts", 3, 7, "TS2322"),
            ("src/a.ts", 4, 40, "TS2322"), ("src/a.ts", 5, 40, "TS2322"),
        ],
    ),
    ("tsc", "tsc5-config.txt", "tsc", [("bad.json", 0, 0, "TS18003"), ("bad.json", 1, 21, "TS5025")]),
    (
        "frames", "oxlint.txt", "oxlint",
        [("src/clock.ts", 7, 28, "eslint(eqeqeq)"), ("src/clock.ts", 7, 36, "eslint(no-debugger)")],
    ),
    (
        "oxlint_json", "oxlint1.json", "oxlint",
        [
            ("src/broken.js", 1, 11, ""), ("src/my file.js", 1, 7, "eslint(no-unused-vars)"),
            ("src/d.ts", 1, 1, "eslint(no-debugger)"), ("src/d.ts", 1, 15, "eslint(no-constant-condition)"),
        ],
    ),
    (
        "github", "oxlint1-github.txt", "oxlint",
        [
            ("src/broken.js", 1, 11, ""), ("src/my file.js", 1, 7, "eslint(no-unused-vars)"),
            ("src/d.ts", 1, 1, "eslint(no-debugger)"), ("src/d.ts", 1, 15, "eslint(no-constant-condition)"),
        ],
    ),
    (
        "eslint_text", "eslint.txt", "eslint",
        [
            ("src/main.js", 1, 7, "no-unused-vars"), ("src/main.js", 2, 1, "no-undef"),
            ("src/main.js", 2, 1, "no-console"),
        ],
    ),
    (
        "eslint_text", "eslint9.txt", "eslint",
        [
            ("src/broken.js", 1, 11, ""), ("src/my file.js", 1, 7, "no-unused-vars"),
            ("src/my file.js", 2, 17, "eqeqeq"), ("src/my file.js", 2, 1, "no-console"),
        ],
    ),
    (
        "eslint_json", "eslint.json", "eslint",
        [
            ("src/main.js", 1, 7, "no-unused-vars"), ("src/main.js", 2, 1, "no-undef"),
            ("src/main.js", 2, 1, "no-console"),
        ],
    ),
    (
        "github", "biome-github.txt", "biome",
        [
            ("src/main.ts", 2, 12, "parse"), ("src/main.js", 1, 7, "lint/correctness/noUnusedVariables"),
            ("src/main.ts", 1, 7, "lint/correctness/noUnusedVariables"),
            ("src/main.ts", 2, 7, "lint/correctness/noUnusedVariables"),
        ],
    ),
    (
        "biome_text", "biome2.txt", "biome",
        [
            ("src/broken.js", 1, 11, "parse"), ("src/c.css", 1, 26, "parse"),
            ("src/c.css", 1, 5, "lint/correctness/noUnknownProperty"),
            ("src/my file.js", 2, 17, "lint/suspicious/noDoubleEquals"),
            ("src/broken.js", 1, 7, "lint/correctness/noUnusedVariables"),
            ("src/my file.js", 1, 7, "lint/correctness/noUnusedVariables"),
        ],
    ),
    (
        "stylelint_text", "stylelint17.txt", "stylelint",
        [
            ("src/a.css", 1, 3, "declaration-block-single-line-max-declarations"),
            ("src/a.css", 1, 5, "property-no-unknown"), ("src/a.css", 1, 25, "color-hex-length"),
            ("src/a.css", 2, 1, "selector-class-pattern"), ("src/a.css", 2, 20, "declaration-property-value-no-unknown"),
            ("src/a.css", 3, 1, "at-rule-empty-line-before"), ("src/a.css", 3, 1, "at-rule-no-unknown"),
            ("src/b.css", 1, 1, "CssSyntaxError"),
        ],
    ),
    (
        "stylelint_json", "stylelint17.json", "stylelint",
        [
            ("src/a.css", 3, 1, "at-rule-empty-line-before"), ("src/a.css", 3, 1, "at-rule-no-unknown"),
            ("src/a.css", 1, 25, "color-hex-length"), ("src/a.css", 1, 3, "declaration-block-single-line-max-declarations"),
            ("src/a.css", 2, 20, "declaration-property-value-no-unknown"), ("src/a.css", 1, 5, "property-no-unknown"),
            ("src/a.css", 2, 1, "selector-class-pattern"), ("src/b.css", 1, 1, "CssSyntaxError"),
        ],
    ),
    (
        "ruff_text", "ruff0-full.txt", "ruff",
        [
            ("bad.py", 1, 1, "I001"), ("bad.py", 1, 8, "F401"), ("bad.py", 4, 12, "F821"),
            ("broken.py", 1, 7, "invalid-syntax"), ("broken.py", 1, 9, "invalid-syntax"),
        ],
    ),
    (
        "flake8", "ruff0-concise.txt", "ruff",
        [
            ("bad.py", 1, 1, "I001"), ("bad.py", 1, 8, "F401"), ("bad.py", 4, 12, "F821"),
            ("broken.py", 1, 7, "invalid-syntax"), ("broken.py", 2, 1, "invalid-syntax"),
        ],
    ),
    (
        "flake8", "flake8-7.txt", "flake8",
        [
            ("bad.py", 1, 1, "F401"), ("bad.py", 3, 1, "E302"), ("bad.py", 4, 12, "F821"), ("bad.py", 5, 1, "W391"),
            ("broken.py", 1, 8, "E999"),
        ],
    ),
    ("mypy", "mypy.txt", "mypy", [("bad.py", 2, 10, "assignment")]),
    ("mypy", "mypy2-pretty.txt", "mypy", [("bad.py", 2, 0, "assignment"), ("bad.py", 4, 0, "name-defined")]),
]  # fmt: skip
BUNDLERS: Final[list[Row]] = [
    ("frames", "vite8-syntax.txt", "vite", [("src/clock.ts", 7, 19, "builtin:vite-transform")]),
    ("frames", "vite8-missing.txt", "vite", [("src/App.tsx", 2, 8, "UNRESOLVED_IMPORT")]),
    ("frames", "rolldown1-missing.txt", "rolldown", [("r/b.js", 1, 8, "UNRESOLVED_IMPORT")]),
    ("bundler", "vite8-plugin.txt", "vite", [("src/b.ts", 1, 4, "")]),
    ("bundler", "vite8-package.txt", "vite", [("src/b.ts", 0, 0, "")]),
    ("bundler", "vite8-entry.txt", "vite", [("index.html", 0, 0, "")]),
    ("bundler", "vite7-json.txt", "vite", [("src/d.json", 2, 1, "")]),
    ("bundler", "vite7-plugin.txt", "vite", [("src/b.ts", 1, 4, "")]),
    # a warning of text that is in no file
    ("bundler", "vite7-css.txt", "vite", []),
    ("bundler", "vite6-syntax.txt", "vite", [("src/main.ts", 2, 12, "")]),
    ("bundler", "vite6-not-exported.txt", "vite", [("src/main.js", 1, 10, "")]),
    ("bundler", "vite6-unresolved.txt", "vite", [("src/main.js", 0, 0, "")]),
    ("bundler", "vite5-entry.txt", "vite", [("index.html", 0, 0, "")]),
    ("bundler", "rollup4-missing.txt", "rollup", [("r/b.js", 0, 0, "")]),
    ("bundler", "rollup4-syntax.txt", "rollup", [("r/b.js", 2, 18, "")]),
    ("bundler", "esbuild.txt", "esbuild", [("src/main.ts", 2, 12, "")]),
    (
        "bundler", "esbuild0-missing.txt", "esbuild",
        [("src/b.ts", 1, 8, ""), ("src/b.ts", 2, 8, ""), ("src/b.ts", 3, 38, "impossible-typeof")],
    ),
]  # fmt: skip
STACKS: Final[list[Row]] = [
    ("traceback", "compileall.txt", "python", [("broken.py", 1, 0, "SyntaxError")]),
    ("traceback", "traceback.txt", "python", [("boom.py", 2, 0, "json.decoder.JSONDecodeError")]),
    ("traceback", "python-json.txt", "python", [("jsonerr.py", 4, 0, "json.decoder.JSONDecodeError")]),
    # of a chain the last; of a group each
    ("traceback", "python-chain.txt", "python", [("chain.py", 7, 0, "RuntimeError")]),
    (
        "traceback", "python-group.txt", "python",
        [("group.py", 5, 0, "ExceptionGroup"), ("group.py", 2, 0, "ValueError"), ("group.py", 3, 0, "KeyError")],
    ),
    ("traceback", "python-import.txt", "python", [("syntax.py", 1, 0, "SyntaxError")]),
    ("traceback", "python-custom.txt", "python", [("custom.py", 4, 0, "NotFound")]),
    ("node_errors", "node24-throw.txt", "node", [("deep.mjs", 2, 8, "SyntaxError")]),
    ("node_errors", "node24-cause.txt", "node", [("cause.mjs", 2, 39, "Error")]),
    ("node_errors", "node24-syntax.txt", "node", [("syntax.mjs", 2, 0, "SyntaxError")]),
    ("node_errors", "node24-package.txt", "node", [("missingpkg.mjs", 0, 0, "ERR_MODULE_NOT_FOUND")]),
    ("node_errors", "node24-require.txt", "node", [("missing.cjs", 2, 1, "Error")]),
    ("node_errors", "node24-types.txt", "node", [("types.ts", 1, 0, "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX")]),
    ("node_errors", "node24-assert.txt", "node", [("assert.mjs", 2, 8, "ERR_ASSERTION")]),
    ("node_errors", "mocha12-syntax.txt", "node", [("broken/a.js", 0, 0, "SyntaxError")]),
    ("node_errors", "bun1-build.txt", "node", [("src/b.ts", 1, 8, ""), ("src/b.ts", 2, 8, "")]),
]  # fmt: skip

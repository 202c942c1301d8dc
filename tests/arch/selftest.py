#!/usr/bin/env python3
"""Each check must find what is wrong in a small broken tree, and nothing in a
small good one."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path
from shutil import which

import check_compile
import check_format
import check_guide
import check_help
import check_install
import check_layers
import check_library
import check_names
import check_pages
import check_rules
import check_samples
import check_sizes
import check_symbols
import check_walk

HERE = Path(__file__).parent
GUARD = "#ifndef {0}\n#define {0}\n{1}#endif\n"


class Checks(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)

    def write(self, path, body, mode=0o644):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, encoding="utf-8")
        path.chmod(mode)
        return path

    def finds(self, problems, *wanted):
        """Exactly these, each by a part of its line."""
        problems = list(problems)
        self.assertEqual(len(problems), len(wanted), problems)
        for line, part in zip(problems, wanted):
            self.assertIn(part, line)


class Layers(Checks):
    def finds_in(self, path, body, *wanted):
        self.write("common/wire/ids.h", "")
        self.write("common/io/log.h", "")
        self.write(path, body)
        self.finds(check_layers.problems(self.root), *wanted)

    def test_good(self):
        self.finds_in("edge/core/node.c",
                      '#include "common/wire/ids.h"\n#include <sodium.h>\n'
                      "#include <string.h>\n")

    def test_a_layer_above(self):
        self.finds_in("edge/core/node.c", '\n#include "common/io/log.h"\n',
                      "edge/core/node.c:2: edge/core does not stand on comm")

    def test_a_layer_beside(self):
        self.write("relay/core/hub.h", "")
        self.finds_in("edge/core/node.c", '#include "relay/core/hub.h"\n',
                      "does not stand on relay/core")

    def test_a_library_of_others(self):
        self.finds_in("common/io/x.c", "#include <yaml.h>\n",
                      "does not use the library yaml")

    def test_a_library_of_one_file(self):
        self.finds_in("common/core/aead.c", "#include <openssl/evp.h>\n")
        self.finds_in("common/core/seal.c", "#include <openssl/evp.h>\n",
                      "common/core/seal.c:1: the library crypto is for others")

    def test_the_world_in_a_pure_layer(self):
        self.finds_in("common/base/x.c", "#include <time.h>\n",
                      "<time.h> is of the world")

    def test_the_world_elsewhere(self):
        self.finds_in("common/io/x.c", "#include <time.h>\n")

    def test_no_path(self):
        self.finds_in("common/wire/x.c", '#include "ids.h"\n', "not of the fo")

    def test_no_such_header(self):
        self.finds_in("common/wire/x.c", '#include "common/wire/id.h"\n',
                      "there is no common/wire/id.h")

    def test_no_layer(self):
        self.finds_in("common/stuff/x.c", "", "in no layer")

    def test_own_header_not_first(self):
        self.finds_in("common/wire/ids.c",
                      '#include <string.h>\n#include "common/wire/ids.h"\n',
                      "comes first")

    def test_the_private_header_first(self):
        self.write("common/wire/ids_private.h", "")
        self.finds_in("common/wire/ids.c",
                      '#include "common/wire/ids_private.h"\n')


class Names(Checks):
    def test_good(self):
        self.write("common/io/log.h", GUARD.format("COMMON_IO_LOG_H", ""))
        self.write("README.md", "")
        self.finds(check_names.problems(self.root))

    def test_guards(self):
        self.write("common/io/a.h", GUARD.format("A_H", ""))
        self.write("common/io/b.h", "int b;\n")
        self.finds(check_names.problems(self.root),
                   "a.h:1: the guard is A_H, not COMMON_IO_A_H",
                   "b.h: has no include guard")

    def test_tags(self):
        self.write("edge/shell/a.c", "struct edge {\n    int a;\n};\n")
        self.write("edge/shell/b.c", 'const char *x = "/*";\n'
                   "struct outer {\n    enum edge { B } kind;\n};\n"
                   "/* struct outer { */\nstruct outer c = {{0}};\n")
        self.write("tests/unit/fake_edge.h",
                   GUARD.format("TESTS_UNIT_FAKE_EDGE_H",
                                "struct edge {\n};\nunion\nouter {\n};\n"))
        self.finds(check_names.problems(self.root),
                   "edge/shell/b.c:3: the tag edge is used in edge/shell/a.c:1",
                   "fake_edge.h:5: the tag outer is used in edge/shell/b.c:2")

    def test_the_top(self):
        self.write("src/x.c", "")
        self.write(".travis.yml", "")
        self.finds(check_names.problems(self.root), ".travis.yml", "src")

    def test_the_top_in_git(self):
        self.write("src/x.c", "")
        self.write("left/over.o", "")
        for words in ("init -q", "add src"):
            subprocess.run(["git", "-C", self.root, *words.split()],
                           check=True, capture_output=True)
        self.finds(check_names.problems(str(self.root)), "src: does not")


class Sizes(Checks):
    def test_good(self):
        self.write("edge/core/x.c", "int x(void)\n{\n    return 1;\n}\n")
        self.finds(check_sizes.problems(self.root))

    def test_a_long_function(self):
        body = "    x();\n"
        self.write("edge/core/x.c",
                   "int\nlong_one(int a,\n         int b)\n{\n" +
                   body * 101 + "}\n\nint fair(void)\n{\n" + body * 61 +
                   "}\nint shorter(void)\n{\n" + body * 60 + "}\n")
        self.finds(check_sizes.problems(self.root),
                   "x.c:4: long_one has 101 lines, more than 100",
                   "note: edge/core/x.c:109: fair has 61 lines")

    def test_a_long_file(self):
        self.write("edge/core/x.c", "int x;\n" * 601)
        self.write("edge/core/y.c", "int y;\n" * 401)
        self.write("tests/unit/x.c", "int x;\n" * 601)
        self.write("tests/unit/y.c", "int x;\n" * 1001)
        self.finds(check_sizes.problems(self.root), "has 601 lines, more",
                   "note: edge/core/y.c", "note: tests/unit/x.c",
                   "has 1001 lines, more")


class Symbols(Checks):
    def finds_in(self, body, *wanted):
        source = self.write("common/base/x.c", body)
        made = self.root / "libcommon_base.a"
        unit = self.root / "x.o"
        subprocess.run(["gcc", "-O2", "-D_FORTIFY_SOURCE=2", "-c", source,
                        "-o", unit], check=True)
        subprocess.run(["ar", "rc", made, unit], check=True)
        self.finds(check_symbols.problems(
            self.root, self.root, HERE / "pure_symbols.txt"), *wanted)

    def test_good(self):
        self.finds_in("#include <string.h>\nint own(void);\n"
                      "int own(void) { return 3; }\n"
                      "void x(char *a, char *b, unsigned long n)\n"
                      "{ memmove(a, b, n + (unsigned long)own()); }\n")

    def test_the_clock(self):
        self.finds_in("#include <time.h>\nlong x(void);\n"
                      "long x(void) { return time(0); }\n",
                      "common/base: is pure, but calls time")

    def test_randomness(self):
        self.finds_in("void randombytes_buf(void *, unsigned long);\n"
                      "int crypto_box_keypair(void *, void *);\n"
                      "int crypto_box_seed_keypair(void *, void *, void *);\n"
                      "void x(void *p) { randombytes_buf(p, 1);\n"
                      "crypto_box_keypair(p, p);\n"
                      "crypto_box_seed_keypair(p, p, p); }\n",
                      "calls crypto_box_keypair", "calls randombytes_buf")

    def test_globals(self):
        self.finds_in("int a; static int b = 3; static _Thread_local int c;\n"
                      "static const char *const d[] = {\"d\", 0};\n"
                      "const char *x(int i);\n"
                      "const char *x(int i)\n"
                      "{ static int e; a = b += c += e += i; return d[e]; }\n",
                      *["is a writable global"] * 4)

    def test_not_built(self):
        self.write("edge/core/node.c", "")
        self.finds(check_symbols.problems(
            self.root, self.root, HERE / "pure_symbols.txt"), "was not built")


class Library(Checks):
    HEADER = "ZS_API void zs_one(void);\nZS_API const char *zs_two(\n" \
             "    int a);\n"
    MAP = "V {\nglobal:\n    zs_one;\n    zs_two;\nlocal:\n    *;\n};\n"
    MAN = "void \\fBzs_one\\fP(void);\nchar *\\fBzs_two\\fP(int);\n"
    BODY = "void zs_one(void) {}\nvoid zs_two(void) {}\n"

    def finds_in(self, header, body, exports, man, *wanted):
        self.write("edge/lib/zeroservices.h", header)
        self.write("edge/lib/zeroservices.map", exports)
        self.write("edge/man/zeroservices.3", man)
        source = self.write("x.c", body)
        made = self.root / "x.so"
        subprocess.run(["gcc", "-shared", "-fPIC", source, "-o", made],
                       check=True)
        self.finds(check_library.problems(self.root, str(made)), *wanted)

    def test_good(self):
        self.finds_in(self.HEADER, self.BODY, self.MAP, self.MAN)

    def test_it_prints_exits_and_aborts(self):
        self.finds_in(self.HEADER, "#include <stdio.h>\n#include <stdlib.h>\n"
                      "static void no(void) { abort(); }\n"
                      "static void assert_failed(void) { abort(); }\n"
                      "void zs_one(void) { no(); assert_failed(); puts(\"\"); }\n"
                      "void zs_two(void) { exit(printf(\"%p\", stdout)); }\n",
                      self.MAP, self.MAN, "knows exit", "knows printf",
                      "knows puts", "knows stdout", "no aborts by other means")

    def test_one_too_many(self):
        self.finds_in(self.HEADER, self.BODY + "void inner(void) {}\n",
                      self.MAP, self.MAN, "x.so: has inner")

    def test_forgotten(self):
        self.finds_in(self.HEADER + "ZS_API int zs_three(void);\n", self.BODY,
                      self.MAP, self.MAN, "zeroservices.map: has no zs_three",
                      "zeroservices.3: has no zs_three",
                      "x.so: has no zs_three")

    def test_nothing(self):
        self.finds_in("", "", "", "", "declares nothing")


class Compile(Checks):
    def test_a_header_that_needs_another(self):
        self.write("common/io/good.h",
                   GUARD.format("G", "#include <stddef.h>\nsize_t g(void);\n"))
        self.finds(check_compile.headers(self.root))
        self.write("common/io/bad.h", GUARD.format("B", "size_t b(void);\n"))
        first, *_ = check_compile.headers(self.root)
        self.assertIn("common/io/bad.h: alone, under gcc", first)

    def test_without_a_library(self):
        self.write("edge/shell/x.h", GUARD.format("X", "int x(int a);\n"))
        self.write("edge/shell/x_none.c", '#include "edge/shell/x.h"\n'
                   "int x(int a)\n{\n    return a;\n}\n")
        self.finds(check_compile.headers(self.root))
        self.write("edge/shell/x_none.c", '#include "edge/shell/x.h"\n'
                   "int x(long a)\n{\n    return (int)a;\n}\n")
        first, *_ = check_compile.headers(self.root)
        self.assertIn("x_none.c: without the library, under gcc", first)

    def test_the_other_compiler(self):
        self.write("x.c", "int x(int a);\nint x(int a)\n{\n"
                          "    a = a;\n    return a;\n}\n")
        entry = {"directory": str(self.root), "file": "x.c",
                 "command": "/usr/bin/ccache /usr/bin/cc -Wall -Werror "
                            "-o x.o -c x.c"}
        self.write("compile_commands.json", json.dumps([entry]))
        self.finds(check_compile.other(self.root, self.root),
                   "x.c: under clang")

    def test_back_to_gcc(self):
        command, compiler = check_compile.translate(
            ["/usr/bin/clang", "-O1", "-MD", "-MF", "d", "-c", "x.c"])
        self.assertEqual(compiler, "gcc")
        self.assertEqual(command, ["gcc", "-O1", "x.c", "-fsyntax-only"])

    def test_nothing_built(self):
        self.write("compile_commands.json", "[]")
        self.finds(check_compile.other(self.root, self.root), "is empty")


class Rules(Checks):
    PROTOCOL = "# The protocol\n## P-1 Bytes\n**P-1.1** Little.\n- [P-1.2] x\n"

    def test_good(self):
        self.write("PROTOCOL.md", self.PROTOCOL)
        self.write("edge/core/x.c", "/* [P-1.1], [P-1, P-1.2]. */\n")
        self.finds(check_rules.problems(self.root))

    def test_a_rule_that_is_not_there(self):
        self.write("PROTOCOL.md", self.PROTOCOL + "It is so [P-1.4].\n")
        self.write("edge/core/x.c", "\n/* So [P-1.1, P-1.3]. */\n")
        self.finds(check_rules.problems(self.root),
                   "x.c:2: there is no rule P-1.3",
                   "note: nothing cites P-1.2")

    def test_no_protocol(self):
        self.finds(check_rules.problems(self.root), "there is no PROTOCOL")


class Walk(Checks):
    CODE = "static int read_it(int fd)\n{\n    return take(fd, NODE_READ);\n}\n"
    PAGE = ("# A\n\n## The walk of one message\n\n"
            "| | function | file | by | what |\n|---|---|---|---|---|\n"
            "| 1 | `read_it` | `edge/a.c` | - | reads |\n"
            "| 2 | `take` | `edge/b.c` | {} | takes |\n{}")

    def finds_in(self, by, more, *wanted):
        self.write("edge/a.c", self.CODE)
        self.write("edge/b.c", "int take(int fd,\n         int kind)\n{\n"
                               "    return fd + kind;\n}\n")
        self.write("ARCHITECTURE.md", self.PAGE.format(by, more))
        self.finds(check_walk.problems(self.root), *wanted)

    def test_good(self):
        self.finds_in("1", "")
        self.finds_in("1 `NODE_READ`", "\n## Next\n\n| 9 | `x` | `y` | z | |\n")

    def test_no_walk(self):
        self.write("ARCHITECTURE.md", "# A\n")
        self.finds(check_walk.problems(self.root), "no walk of one message")

    def test_a_cold_trail(self):
        self.finds_in("1 `NODE_WROTE`", "", "step 2: step 1 has no NODE_WROTE")
        self.finds_in("1", "| 3 | `read_it` | `edge/a.c` | 2 | |\n",
                      "step 3: step 2 has no read_it")

    def test_no_such_step(self):
        for by in ("2", "0", "`take`", ""):
            self.finds_in(by, "", "names no earlier step")

    def test_no_such_function(self):
        self.finds_in("1", "| 3 | `fd` | `edge/b.c` | 2 | |\n",
                      "step 3: edge/b.c has no function fd")
        self.finds_in("1", "| 3 | `take` | `edge/c.c` | 2 | |\n",
                      "step 3: edge/c.c has no function take")

    def test_numbers(self):
        self.finds_in("1", "| 4 | `read_it` | `edge/a.c` | 1 | |\n",
                      "step 4 of the walk is the 3th", "step 3: step 1 has no")


class Format(Checks):
    def test_both(self):
        self.write(".clang-format", (HERE / "../../.clang-format").read_text())
        self.write("edge/core/good.c", "int x;\n")
        self.finds(check_format.problems(self.root))
        self.write("edge/core/bad.c", "int a;\nint  x ;\nint  y ;\n")
        self.finds(check_format.problems(self.root),
                   "edge/core/bad.c:2: clang-format -i")


class Help(Checks):
    GOOD = """#!/bin/sh
case $* in
*--help) echo "usage: $0 $1 [--json]" ;;
--version) echo "$0 0.1.0" ;;
*) echo "what?" >&2; exit 2 ;;
esac
"""

    def programs(self, script):
        for name in check_help.PROGRAMS:
            self.write(name, script.replace("$0", name), 0o755)
        return check_help.problems(self.root)

    def test_good(self):
        self.finds(self.programs(self.GOOD))

    def test_not_built(self):
        self.finds(check_help.problems(self.root), *["was not built"] * 3)

    def test_each_fault(self):
        each = len(check_help.PROGRAMS)
        all_of = each + len(check_help.COMMANDS)
        for old, new, count in (
                ('[--json]"', '[--json]" >&2', 2 * all_of +
                 len(check_help.COMMANDS)),
                ('[--json]"', '[--json]"; exit 1', all_of),
                ("usage", "usage " + "x" * 100, all_of),
                ("0.1.0", "", each),
                ("exit 2", "exit 1", each)):
            with self.subTest(new):
                self.assertIn(old, self.GOOD)
                found = list(self.programs(self.GOOD.replace(old, new)))
                self.assertEqual(len(found), count, found)


class Install(Checks):
    def test_not_built(self):
        found = list(check_install.problems(self.root))
        self.assertEqual(len(found), 1 + len(check_install.WANTED), found)
        self.assertIn("cmake --install", found[0])

    def test_links(self):
        self.write("doc/there.md", "# A heading, `code` and more\n")
        page = self.write("doc/page.md", "[a](there.md) [b](https://x/y) "
                          "[c](#own)\n# Own\n"
                          "[d](there.md#a-heading-code-and-more) `[e](no)`\n"
                          "```\n[f](nowhere)\n```\n")
        self.finds(check_install.leads(page, self.root))
        page.write_text("[a](gone.md) [b](there.md#gone) [c](#gone)\n"
                        "[d]: ../gone\n<img src=\"gone.svg\">\n",
                        encoding="utf-8")
        self.finds(check_install.leads(page, self.root), "gone.md",
                   "a heading", "a heading", "../gone", "gone.svg")

    def test_units(self):
        self.write("bin/zs-edge", "")
        good = "[Service]\nExecStart=/usr/bin/zs-edge -c x\n"
        unit = self.write("zs-good.service", good)
        self.no_problem(check_install.fits(unit, self.root))
        unit = self.write("zs-bad.service", good.replace("edge", "other"))
        self.finds(self.real(check_install.fits(unit, self.root)),
                   "zs-bad.service: starts /usr/bin/zs-other, which is not")

    @unittest.skipUnless(which("systemd-analyze"), "no systemd-analyze here")
    def test_what_systemd_does_not_know(self):
        self.write("bin/zs-edge", "")
        unit = self.write("zs-bad.service", "[Service]\nTypo=1\n"
                          "ExecStart=/usr/bin/zs-edge\n")
        self.finds(check_install.fits(unit, self.root), "Typo")

    def real(self, problems):
        return [x for x in problems if not x.startswith("note: ")]

    def no_problem(self, problems):
        self.assertEqual(self.real(problems), [])


class Pages(Checks):
    HELP = """#!/bin/sh
echo "Usage: zs-x

Options:
  -c, --config FILE  the file
      --check        only check"
"""
    PAGE = (".TH ZS-X 8\n.SH NAME\nzs\\-x \\- does it\n.SH OPTIONS\n.TP\n"
            "\\fB\\-c\\fR, \\fB\\-\\-config\\fR \\fIFILE\\fR\nthe file\n"
            ".TP\n\\fB\\-\\-check\\fR\nonly check\n")
    BASH = "_options() {\n    case $1 in\n" \
           "    \"zs-x\") echo '--config -c --check' ;;\n    esac\n}\n"

    def says(self, page, completion):
        program = self.write("zs-x", self.HELP, 0o755)
        page = self.write("zs-x.8", page)
        path = self.write("zs-x.bash", completion)
        for words, options in check_pages.helps(program):
            yield from check_pages.missing(
                words, options, check_pages.plain(page), page.name)
            yield from check_pages.uncompleted(words, options, "bash", path)
        yield from check_pages.understood("bash", path)

    def test_good(self):
        self.finds(self.says(self.PAGE, self.BASH))

    def test_what_is_not_in_the_page(self):
        self.finds(self.says(self.PAGE.replace("check", "chuck"), self.BASH),
                   "zs-x.8: zs-x has no --check")
        self.finds(self.says(self.PAGE.replace("\\-c\\", "\\-k\\"),
                             self.BASH), "zs-x.8: zs-x has no -c")

    def test_what_is_not_completed(self):
        self.finds(self.says(self.PAGE, self.BASH.replace(" --check", "")),
                   "(bash): zs-x has no --check")
        self.finds(self.says(self.PAGE, self.BASH + "if"), "syntax error")

    @unittest.skipUnless(which("man"), "no man here")
    def test_what_man_does_not_know(self):
        page = self.write("zs-x.8", self.PAGE)
        self.finds(check_pages.warned(page))
        page = self.write("zs-x.8", self.PAGE + ".XX\n")
        self.finds(check_pages.warned(page), "XX")

    def test_not_made(self):
        found = list(check_pages.problems(self.root, self.root))
        self.assertEqual(sum("was not made" in x for x in found), 5, found)


class Guide(Checks):
    PAGE = ("# Trouble\n## Health lines\n### bad_luck\nIt is so.\n"
            "### relay_down\n| `silent` | x |\n| `lost` | x |\n"
            "## Refused\n| `expired` | x |\n| `no_token` | x |\n"
            "## zs netcheck\n| `no_way` | x |\n"
            "## Log lines\n| `it_broke` · `who_cares` | x |\n"
            "## Exit codes\n| 0 | x |\n| 1 | x |\n")
    README = ("# Name (1)\n[t](deploy/guide/troubleshooting.md#relay_down)\n"
              "[t](deploy/guide/troubleshooting.md) [n](#name-1)\n"
              "```text\n[not a](link)\n```\n")

    def good(self):
        self.write("README.md", self.README)
        self.write(check_guide.PAGE, self.PAGE)
        self.write("edge/shell/x.c", 'struct health h = {\n"info", "bad_luck"'
                   '};\ncase HTTP_NONE:\n    return "no_token";\n'
                   'log_warn("it_broke", "x");\ntell(LOG_WARN, "who_cares"'
                   '\nfindings_add(out, ERR, "no_way")')
        self.write("edge/core/x.c", '[RELAY_ERROR_LOST] = "lost",\n'
                   '[RELAY_ERROR_SILENT] = "silent"')
        self.write("common/wire/x.c", '[REFUSAL_NONE] = "none",\n'
                   '[REFUSAL_OLD] = "expired",')
        self.write("common/conf/options.h",
                   "enum {\n    EXIT_GOOD,\n    EXIT_BAD = 1\n};\n")

    def finds_without(self, text, *wanted):
        self.good()
        self.assertIn(text, self.PAGE)
        self.write(check_guide.PAGE, self.PAGE.replace(text, ""))
        self.finds(check_guide.problems(self.root), *wanted)

    def test_good(self):
        self.good()
        self.finds(check_guide.problems(self.root))

    def test_each_finding(self):
        for text, name in (("### bad_luck\n", "health code bad_luck"),
                           ("| `silent` | x |", "relay error silent"),
                           ("| `expired` |", "refusal expired"),
                           ("| `no_token` |", "refusal by HTTP no_token"),
                           ("| `no_way` |", "netcheck finding no_way"),
                           ("`it_broke`", "log line it_broke"),
                           ("`who_cares`", "log line who_cares"),
                           ("| 1 | x |", "exit code 1 (EXIT_BAD)")):
            with self.subTest(name):
                self.finds_without(text, name)

    def test_in_another_section(self):
        self.good()
        self.write(check_guide.PAGE, self.PAGE.replace("`expired`", "`x`") +
                   "| `expired` |\n")
        self.finds(check_guide.problems(self.root), "refusal expired")

    def test_nothing_found(self):
        self.good()
        self.write("edge/core/x.c", "")
        self.finds(check_guide.problems(self.root), "no relay error was found")

    def test_links(self):
        self.good()
        self.write("edge/x.md", "[a](../README.md#nam)\n\n[b](y.md) "
                   '<img alt="" src="z.svg"> [c](https://x.y/z)\n[d](#e)\n')
        self.finds(check_guide.problems(self.root),
                   "edge/x.md:1: ../README.md has no heading #nam",
                   "edge/x.md:3: there is no y.md",
                   "edge/x.md:3: there is no z.svg",
                   "edge/x.md:4: edge/x.md has no heading #e")

    def test_a_page_that_nothing_leads_to(self):
        self.good()
        self.write("deploy/guide/new.md", "")
        self.finds(check_guide.problems(self.root),
                   "README.md: has no link to deploy/guide/new.md")

    def test_shell(self):
        self.good()
        self.write("x.md", "\n```sh\nif x\n```\n")
        self.finds(check_guide.problems(self.root), "x.md:2: bash: line 2")


class Samples(Checks):
    ZS = """#!/bin/sh
case $* in
*mesh*) mkdir -p "$5"; touch "$5/node.zs" ;;
id*) printf '%064d\\n' 0 ;;
esac
"""
    DAEMON = """#!/bin/sh
case $1 in
init) mkdir -p "$2"; touch "$2/relay.key" ;;
-c) cd "$(dirname "$2")" && [ -e alice.zs ] || { echo bad >&2; exit 3; } ;;
esac
"""

    def test_both(self):
        self.write("zs", self.ZS, 0o755)
        self.write("zs-edge", self.DAEMON, 0o755)
        self.write("zs-relay", self.DAEMON.replace("alice.zs", "relay.key"),
                   0o755)
        self.finds(check_samples.problems(self.root, self.root), "no sample")
        self.write("config/edge.yaml", "node:\n  identity: alice.zs\n")
        self.write("config/relay.yaml", "relay: {key: relay.key}\n")
        self.finds(check_samples.problems(self.root, self.root))
        self.write("config/lan.yaml", "node: {}\n")
        self.finds(check_samples.problems(self.root, self.root),
                   "config/lan.yaml: zs-edge --check: exit 3: bad")

    def test_no_programs(self):
        self.write("config/edge.yaml", "")
        self.finds(check_samples.problems(self.root, self.root), "no mesh")


if __name__ == "__main__":
    unittest.main()

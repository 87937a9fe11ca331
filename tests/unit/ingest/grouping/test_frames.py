"""Tests of reading stacks of every language that an SDK may send."""

import pytest

from server.ingest.grouping.frames import file_name, top_frames

V8 = """TypeError: Cannot read properties of null (reading 'x')
    at Cart.pay [as onClick] (https://shop.test/static/js/main.3f2a1bc9.js?v=3:12:345)
    at async https://shop.test/static/js/main.3f2a1bc9.js:1:2
    at new Order (webpack:///./src/order.ts:7:1)
    at Object.<anonymous> (https://shop.test/cart/17:3:4)
    at eval (eval at run (https://shop.test/a.js:370:30), <anonymous>:1:66)
    at commit (https://shop.test/node_modules/react-dom/index.js:1:1)
    at Array.map (<anonymous>)"""
GECKO = """pay@https://shop.test/assets/index-BxKj_QaZ.js:1:200
onClick/<@https://shop.test/assets/UserList-4fT0z9aB.js:3:1
@https://shop.test/:3:1
map@[native code]
inject@moz-extension://0c1d/content.js:1:1"""
JAVA = """java.lang.IllegalStateException: cart is empty
\tat java.util.ArrayList.get(ArrayList.java:427)
\tat com.shop.Cart$1.pay(Cart.java:12)
\tat app//com.shop.Main.lambda$main$0(Main.kt:3)
\tat com.shop.Main$$ExternalSyntheticLambda7.run(D8$$SyntheticClass)
\tat android.os.Handler.dispatchMessage(Handler.java:106)
Caused by: java.io.IOException: closed
\t... 12 more"""
PYTHON = """Traceback (most recent call last):
  File "/app/main.py", line 3, in <module>
    run()
  File "/usr/lib/python3.11/site-packages/click/core.py", line 1, in main
    return f()
  File "/app/cart.py", line 9, in pay
    raise ValueError
ValueError: cart"""
DART = """#0      Cart.pay (package:shop/cart.dart:12:5)
#1      _CartState.build.<anonymous closure> (package:shop/cart_page.dart:3:1)
#2      _InkResponseState.handleTap (package:flutter/src/material/ink_well.dart:1096:21)
#3      _rootRun (dart:async/zone.dart:1399:13)"""
APPLE = """0   libswiftCore.dylib                  0x00000001a2b3c4d5 $ss17_assertionFailure + 248
1   Shop                                0x0000000104d2c3f4 Cart.pay(_:) + 52
2   Shop                                0x0000000104d2c400 closure #2 in CartView.body.getter + 12
3   UIKitCore                           0x00000001b1c2d3e4 -[UIApplication sendAction:to:] + 96"""

STACKS = {
    V8: [
        ("Cart.pay", "main.js"),
        ("?", "main.js"),
        ("Order", "order.ts"),
        ("?", "<page>"),
        ("eval", "<anonymous>"),
    ],
    GECKO: [("pay", "index.js"), ("onClick", "UserList.js"), ("?", "<page>")],
    JAVA: [
        ("com.shop.Cart$.pay", "Cart.java"),
        ("com.shop.Main.lambda$main$", "Main.kt"),
        ("com.shop.Main$$ExternalSyntheticLambda.run", "D8$$SyntheticClass"),
    ],
    PYTHON: [("pay", "cart.py"), ("<module>", "main.py")],
    DART: [("Cart.pay", "cart.dart"), ("_CartState.build.<anonymous closure>", "cart_page.dart")],
    APPLE: [("Cart.pay(_:)", "Shop"), ("closure # in CartView.body.getter", "Shop")],
}


def frames_of(stack: str) -> list[tuple[str, str]]:
    return [(frame.function, frame.file) for _, frame in top_frames(stack)]


@pytest.mark.parametrize(("stack", "expected"), STACKS.items(), ids=["v8", "gecko", "java", "python", "dart", "apple"])
def test_top_frames_are_the_applications_own_innermost_first(stack, expected):
    assert frames_of(stack) == expected


def test_top_frames_come_with_the_line_they_were_read_from():
    line, frame = top_frames(V8)[0]
    assert line == "at Cart.pay [as onClick] (https://shop.test/static/js/main.3f2a1bc9.js?v=3:12:345)"
    assert frame.in_app


def test_top_frames_are_foreign_where_no_others_are():
    assert frames_of("Error\n    at a (node:fs:1:2)\n    at b (/x/node_modules/y/z.js:3:4)") == [
        ("a", "node:fs"),
        ("b", "z.js"),
    ]


@pytest.mark.parametrize(
    "stack", ["", "Error: boom", "Script error.", "\n\n", "at ", "@", "#", "0", "#0 (", "1 0x", "中"]
)
def test_top_frames_of_what_is_no_stack_are_harmless(stack):
    assert all(frame.function for _, frame in top_frames(stack))


def test_top_frames_stop_after_five():
    stack = "\n".join(f"    at f{number} (/app/a.js:{number}:1)" for number in range(90))
    assert [function for function, _ in frames_of(stack)] == ["f0", "f1", "f2", "f3", "f4"]


@pytest.mark.parametrize(
    "beyond", ["\n" * 100, "x" * 64 * 1024 + "\n", "    at " + "f" * 512 + "\n" + "no frame\n" * 99]
)
def test_top_frames_do_not_look_beyond_their_bounds(beyond):
    assert "late" not in str(top_frames(f"{beyond}    at late (/app/late.js:1:1)"))


def test_top_frames_of_deep_python_recursion_are_the_innermost():
    calls = '  File "/app/a.py", line 1, in outer\n    outer()\n' * 1000
    stack = f'Traceback (most recent call last):\n{calls}  File "/app/b.py", line 2, in inner\n    boom()\nValueError'
    assert frames_of(stack)[0] == ("inner", "b.py")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://shop.test/js/app.js?v=1#x", "app.js"),
        ("https://shop.test/js/app.0a1b2c3d.chunk.js", "app.chunk.js"),
        ("https://shop.test/js/chunk-5f3a9c2e.js", "chunk.js"),
        ("https://shop.test/assets/index-DhJkLmNp.js", "index.js"),
        ("https://shop.test/assets/my-UserList.js", "my-UserList.js"),
        ("https://shop.test/js/jquery-3.7.1.min.js", "jquery-3.7.1.min.js"),
        ("https://shop.test/orders/4711", "<page>"),
        ("https://shop.test", "<page>"),
        ("C:\\app\\src\\cart.ts", "cart.ts"),
        ("pages/home/home.js", "home.js"),
        ("<anonymous>", "<anonymous>"),
        ("", ""),
    ],
)
def test_file_name_survives_a_new_build(location, expected):
    assert file_name(location) == expected

import unittest

from stack import Stack


class StackTest(unittest.TestCase):
    def test_last_in_first_out(self):
        stack = Stack()
        stack.push(1)
        stack.push(2)
        self.assertEqual(stack.pop(), 2)

    def test_pop_of_an_empty_one_is_none(self):
        self.assertIsNone(Stack().pop())

    @unittest.skip("not yet")
    def test_it_has_a_length(self):
        self.assertEqual(len(Stack()), 0)

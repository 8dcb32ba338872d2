#include "fbemu/fbdev/color_map.h"

#include <gtest/gtest.h>

#include <vector>

using fbemu::ColorMap;

TEST(ColorMap, NewMapStartsWithConsoleColours) {
  const ColorMap map;
  const std::vector<uint16_t> red{0x0000, 0x0000, 0x0000, 0x0000, 0xaaaa, 0xaaaa, 0xaaaa, 0xaaaa,
                                  0x5555, 0x5555, 0x5555, 0x5555, 0xffff, 0xffff, 0xffff, 0xffff};
  const std::vector<uint16_t> green{0x0000, 0x0000, 0xaaaa, 0xaaaa, 0x0000, 0x0000, 0x5555, 0xaaaa,
                                    0x5555, 0x5555, 0xffff, 0xffff, 0x5555, 0x5555, 0xffff, 0xffff};
  const std::vector<uint16_t> blue{0x0000, 0xaaaa, 0x0000, 0xaaaa, 0x0000, 0xaaaa, 0x0000, 0xaaaa,
                                   0x5555, 0xffff, 0x5555, 0xffff, 0x5555, 0xffff, 0x5555, 0xffff};
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(map.red().at(i), red[i]) << i;
    EXPECT_EQ(map.green().at(i), green[i]) << i;
    EXPECT_EQ(map.blue().at(i), blue[i]) << i;
  }
}

TEST(ColorMap, NewMapIsBlackAfterConsoleColours) {
  const ColorMap map;
  for (size_t i = 16; i < 256; ++i) EXPECT_EQ(map.red().at(i) | map.green().at(i) | map.blue().at(i), 0) << i;
}

TEST(ColorMap, StoreKeepsOtherEntries) {
  ColorMap map;
  map.store(3, std::vector<uint16_t>{1, 2}, std::vector<uint16_t>{3, 4}, std::vector<uint16_t>{5, 6});
  EXPECT_EQ(map.red()[3], 1);
  EXPECT_EQ(map.red()[4], 2);
  EXPECT_EQ(map.green()[3], 3);
  EXPECT_EQ(map.green()[4], 4);
  EXPECT_EQ(map.blue()[3], 5);
  EXPECT_EQ(map.blue()[4], 6);
  EXPECT_EQ(map.red()[5], 0xaaaa);
  EXPECT_EQ(map.green()[2], 0xaaaa);
}

TEST(ColorMap, StoreAcrossEndDropsEntries) {
  ColorMap map;
  const std::vector<uint16_t> many(10, 7);
  map.store(250, many, many, many);
  EXPECT_EQ(map.red()[249], 0);
  EXPECT_EQ(map.red()[255], 7);
}

TEST(ColorMap, StoreBeyondEndIsIgnored) {
  ColorMap map;
  const std::vector<uint16_t> one(1, 7);
  map.store(256, one, one, one);
  map.store(0x7fff'ffff, one, one, one);
  EXPECT_EQ(map.red(), ColorMap().red());
}

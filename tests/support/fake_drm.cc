#include "tests/support/fake_drm.h"
#include "tests/support/kernel_mode.h"

#include <drm_mode.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xf86drm.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

using unit::FakeDrm;

namespace unit {
namespace {

FakeDrm* the_card = nullptr;

template <typename T>
T* with_id(std::vector<T>& objects, uint32_t id) {
  const auto found = std::ranges::find(objects, id, &T::id);
  return found == objects.end() ? nullptr : &*found;
}

template <typename Function>
struct FourthParameter;
template <typename Result, typename A, typename B, typename C, typename D, typename... Others>
struct FourthParameter<Result(A, B, C, D, Others...)> {
  using Type = D;
};

}  // namespace

FakeDrm::FakeDrm(size_t outputs, size_t with_crtcs)
    : uevent_descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  const auto all_crtcs = static_cast<uint32_t>((1U << with_crtcs) - 1);
  for (uint32_t i = 0; i < with_crtcs; ++i) crtcs.push_back({first_crtc + i, 0, {}, false});
  for (uint32_t i = 0; i < outputs; ++i) {
    encoders.push_back({first_encoder + i, all_crtcs, 0});
    connectors.push_back({first_connector + i, true, {a_mode()}, 0, true});
  }
  add_node();
  the_card = this;
}

FakeDrm::~FakeDrm() {
  the_card = nullptr;
}

bool FakeDrm::exists() {
  return the_card != nullptr;
}

FakeDrm& FakeDrm::current() {
  if (the_card == nullptr) throw std::logic_error("there is no FakeDrm");
  return *the_card;
}

drmModeModeInfo FakeDrm::a_mode() {
  return kernel_mode_1024x768();
}

void FakeDrm::add_node() const {
  EXPECT_EQ(::mkfifo(path().c_str(), 0600), 0);
}

void FakeDrm::remove_node() const {
  EXPECT_EQ(::unlink(path().c_str()), 0);
}

void FakeDrm::send_uevent(const std::string& action, bool hotplug) {
  uevents.push_back({action, path(), hotplug ? "1" : ""});
  const uint64_t one = 1;
  EXPECT_EQ(::write(uevent_descriptor.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
}

FakeDrm::Connector* FakeDrm::connector(uint32_t id) {
  return with_id(connectors, id);
}

FakeDrm::Encoder* FakeDrm::encoder(uint32_t id) {
  return with_id(encoders, id);
}

FakeDrm::Crtc* FakeDrm::crtc(uint32_t id) {
  return with_id(crtcs, id);
}

}  // namespace unit

namespace {

constexpr uint32_t plane_id = 61;
constexpr uint32_t plane_type_id = 71;

/// Counts a call and returns the card.
FakeDrm& called(const char* function) {
  FakeDrm& card = FakeDrm::current();
  ++card.calls[function];
  return card;
}

/// Returns an object like those of libdrm: zeroed memory of malloc().
template <typename T>
T* make_object(size_t count = 1) {
  return static_cast<T*>(std::calloc(std::max<size_t>(count, 1), sizeof(T)));
}

template <typename T>
uint32_t* make_ids(const std::vector<T>& objects) {
  auto* ids = make_object<uint32_t>(objects.size());
  for (size_t i = 0; i < objects.size(); ++i) ids[i] = objects[i].id;
  return ids;
}

int refuse(int error) {
  errno = error;
  return -1;
}

/// Copies a connector like drm_mode_getconnector(), which probes the hardware only for the DRM master.
drmModeConnector* get_connector(FakeDrm& card, uint32_t id, bool probe) {
  FakeDrm::Connector* connector = card.connector(id);
  if (connector == nullptr) {
    errno = ENOENT;
    return nullptr;
  }
  if (probe && card.is_master) connector->probed = true;
  auto* copy = make_object<drmModeConnector>();
  copy->connector_id = id;
  copy->encoder_id = connector->encoder_id;
  copy->connector_type = connector->type;
  copy->connector_type_id = connector->type_id != 0 ? connector->type_id : id - FakeDrm::first_connector + 1;
  copy->mmWidth = connector->width_mm;
  copy->mmHeight = connector->height_mm;
  copy->connection = !connector->probed     ? DRM_MODE_UNKNOWNCONNECTION
                     : connector->connected ? DRM_MODE_CONNECTED
                                            : DRM_MODE_DISCONNECTED;
  const size_t modes = connector->probed && connector->connected ? connector->modes.size() : 0;
  copy->count_modes = static_cast<int>(modes);
  copy->modes = make_object<drmModeModeInfo>(modes);
  std::copy_n(connector->modes.begin(), modes, copy->modes);
  copy->count_encoders = 1;
  copy->encoders = make_object<uint32_t>();
  *copy->encoders = id - FakeDrm::first_connector + FakeDrm::first_encoder;
  return copy;
}

}  // namespace

extern "C" {  // The functions of libdrm that drmclient calls for a card with legacy KMS.

drmVersionPtr drmGetVersion(int) {
  // Without a FakeDrm, the opened file is not a DRM node.
  if (!FakeDrm::exists()) return nullptr;
  auto* version = make_object<drmVersion>();
  version->name = ::strdup("fake");
  version->name_len = static_cast<int>(std::strlen(version->name));
  return version;
}

void drmFreeVersion(drmVersionPtr version) {
  std::free(version->name);
  std::free(version);
}

int drmGetCap(int, uint64_t capability, uint64_t* value) {
  *value = capability == DRM_CAP_DUMB_BUFFER ? 1 : 0;
  return 0;
}

int drmSetClientCap(int, uint64_t capability, uint64_t) {
  return capability == DRM_CLIENT_CAP_UNIVERSAL_PLANES ? 0 : refuse(EOPNOTSUPP);
}

int drmSetMaster(int) {
  FakeDrm& card = called("drmSetMaster");
  if (card.refused_masters > 0) {
    --card.refused_masters;
    return refuse(EBUSY);
  }
  if (card.other_master) return refuse(EBUSY);
  card.is_master = true;
  return 0;
}

int drmDropMaster(int) {
  if (FakeDrm::exists()) FakeDrm::current().is_master = false;
  return 0;
}

int drmIsMaster(int) {
  return FakeDrm::current().is_master ? 1 : 0;
}

drmModeResPtr drmModeGetResources(int) {
  FakeDrm& card = called("drmModeGetResources");
  auto* resources = make_object<drmModeRes>();
  resources->count_crtcs = static_cast<int>(card.crtcs.size());
  resources->crtcs = make_ids(card.crtcs);
  resources->count_connectors = static_cast<int>(card.connectors.size());
  resources->connectors = make_ids(card.connectors);
  resources->max_width = resources->max_height = 8192;
  return resources;
}

void drmModeFreeResources(drmModeResPtr resources) {
  std::free(resources->crtcs);
  std::free(resources->connectors);
  std::free(resources);
}

drmModeConnectorPtr drmModeGetConnector(int, uint32_t id) {
  return get_connector(called("drmModeGetConnector"), id, true);
}

drmModeConnectorPtr drmModeGetConnectorCurrent(int, uint32_t id) {
  return get_connector(called("drmModeGetConnectorCurrent"), id, false);
}

void drmModeFreeConnector(drmModeConnectorPtr connector) {
  std::free(connector->modes);
  std::free(connector->encoders);
  std::free(connector);
}

drmModeEncoderPtr drmModeGetEncoder(int, uint32_t id) {
  const FakeDrm::Encoder* encoder = called("drmModeGetEncoder").encoder(id);
  if (encoder == nullptr) return nullptr;
  auto* copy = make_object<drmModeEncoder>();
  copy->encoder_id = id;
  copy->crtc_id = encoder->crtc_id;
  copy->possible_crtcs = encoder->possible_crtcs;
  return copy;
}

void drmModeFreeEncoder(drmModeEncoderPtr encoder) {
  std::free(encoder);
}

drmModeCrtcPtr drmModeGetCrtc(int, uint32_t id) {
  const FakeDrm::Crtc* crtc = called("drmModeGetCrtc").crtc(id);
  if (crtc == nullptr) return nullptr;
  auto* copy = make_object<drmModeCrtc>();
  copy->crtc_id = id;
  copy->buffer_id = crtc->framebuffer_id;
  copy->mode_valid = crtc->on ? 1 : 0;
  copy->mode = crtc->mode;
  return copy;
}

void drmModeFreeCrtc(drmModeCrtcPtr crtc) {
  std::free(crtc);
}

drmModePlaneResPtr drmModeGetPlaneResources(int) {
  static_cast<void>(called("drmModeGetPlaneResources"));
  auto* planes = make_object<drmModePlaneRes>();
  planes->count_planes = 1;
  planes->planes = make_object<uint32_t>();
  *planes->planes = plane_id;
  return planes;
}

void drmModeFreePlaneResources(drmModePlaneResPtr planes) {
  std::free(planes->planes);
  std::free(planes);
}

drmModePlanePtr drmModeGetPlane(int, uint32_t id) {
  const FakeDrm& card = called("drmModeGetPlane");
  auto* plane = make_object<drmModePlane>();
  plane->plane_id = id;
  plane->possible_crtcs = (1U << card.crtcs.size()) - 1;
  plane->count_formats = static_cast<uint32_t>(card.formats.size());
  plane->formats = make_object<uint32_t>(card.formats.size());
  std::ranges::transform(card.formats, plane->formats,
                         [](drmclient::PixelFormat format) { return static_cast<uint32_t>(format); });
  return plane;
}

void drmModeFreePlane(drmModePlanePtr plane) {
  std::free(plane->formats);
  std::free(plane);
}

drmModeObjectPropertiesPtr drmModeObjectGetProperties(int, uint32_t id, uint32_t) {
  if (id != plane_id) return nullptr;
  auto* properties = make_object<drmModeObjectProperties>();
  properties->count_props = 1;
  properties->props = make_object<uint32_t>();
  *properties->props = plane_type_id;
  properties->prop_values = make_object<uint64_t>();
  *properties->prop_values = DRM_PLANE_TYPE_PRIMARY;
  return properties;
}

void drmModeFreeObjectProperties(drmModeObjectPropertiesPtr properties) {
  std::free(properties->props);
  std::free(properties->prop_values);
  std::free(properties);
}

drmModePropertyPtr drmModeGetProperty(int, uint32_t id) {
  auto* property = make_object<drmModePropertyRes>();
  property->prop_id = id;
  std::strcpy(property->name, "type");
  return property;
}

void drmModeFreeProperty(drmModePropertyPtr property) {
  std::free(property);
}

int drmModeCreateDumbBuffer(int, uint32_t width, uint32_t height, uint32_t bits_per_pixel, uint32_t,
                            uint32_t* handle, uint32_t* pitch, uint64_t* size) {
  *handle = ++FakeDrm::current().last_object;
  *pitch = width * bits_per_pixel / 8;
  *size = uint64_t{*pitch} * height;
  return 0;
}

int drmModeDestroyDumbBuffer(int, uint32_t) {
  return 0;
}

int drmModeMapDumbBuffer(int, uint32_t, uint64_t*) {
  return refuse(EOPNOTSUPP);
}

int drmModeAddFB2(int, uint32_t, uint32_t, uint32_t format, const uint32_t*, const uint32_t*, const uint32_t*,
                  uint32_t* id, uint32_t) {
  FakeDrm& card = FakeDrm::current();
  *id = ++card.last_object;
  card.framebuffers[*id] = static_cast<drmclient::PixelFormat>(format);
  return 0;
}

int drmModeRmFB(int, uint32_t id) {
  FakeDrm& card = FakeDrm::current();
  card.framebuffers.erase(id);
  for (FakeDrm::Crtc& crtc : card.crtcs) {
    if (crtc.framebuffer_id == id) crtc = {crtc.id, 0, {}, false};
  }
  return 0;
}

int drmModeSetCrtc(int, uint32_t id, uint32_t framebuffer, uint32_t, uint32_t, uint32_t* connectors,
                   int count, drmModeModeInfoPtr mode) {
  FakeDrm& card = called("drmModeSetCrtc");
  if (!card.is_master) return refuse(EACCES);
  FakeDrm::Crtc* crtc = card.crtc(id);
  if (crtc == nullptr || !card.framebuffers.contains(framebuffer)) return refuse(ENOENT);
  const auto format = card.framebuffers.at(framebuffer);
  if (std::ranges::find(card.refused_formats, format) != card.refused_formats.end()) return refuse(EINVAL);
  *crtc = {id, framebuffer, *mode, true};
  for (int i = 0; i < count; ++i) {
    FakeDrm::Connector* connector = card.connector(connectors[i]);
    if (connector == nullptr) return refuse(ENOENT);
    connector->encoder_id = connector->id - FakeDrm::first_connector + FakeDrm::first_encoder;
    card.encoder(connector->encoder_id)->crtc_id = id;
  }
  return 0;
}

int drmModeDirtyFB(int, uint32_t, drmModeClipPtr, uint32_t) {
  static_cast<void>(called("drmModeDirtyFB"));
  return 0;
}

int drmModeConnectorSetProperty(int, uint32_t, uint32_t, uint64_t) {
  return 0;
}

/// The type of a channel: a pointer to constants in libdrm 2.4.124 and later.
using GammaChannel = unit::FourthParameter<decltype(drmModeCrtcSetGamma)>::Type;
int drmModeCrtcSetGamma(int, uint32_t, uint32_t, GammaChannel, GammaChannel, GammaChannel) {
  return 0;
}

int drmCrtcQueueSequence(int, uint32_t, uint32_t flags, uint64_t sequence, uint64_t*, uint64_t user_data) {
  FakeDrm& card = called("drmCrtcQueueSequence");
  if (card.refuse_sequences != 0) return refuse(card.refuse_sequences);
  card.vblank_requests.push_back({true, (flags & DRM_CRTC_SEQUENCE_RELATIVE) != 0, sequence, user_data});
  return 0;
}

int drmWaitVBlank(int, drmVBlankPtr vblank) {
  FakeDrm& card = called("drmWaitVBlank");
  if (card.refuse_waits != 0) return refuse(card.refuse_waits);
  card.vblank_requests.push_back({false, (vblank->request.type & DRM_VBLANK_RELATIVE) != 0,
                                  vblank->request.sequence, vblank->request.signal});
  return 0;
}

}  // extern "C"
